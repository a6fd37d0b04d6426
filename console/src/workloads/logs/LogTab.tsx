/** The log of a workload, live: whose, searched as a whole, wrapped, with times, or downloaded. */
import { useLocalStorage } from "@mantine/hooks";
import { useEffect, useRef, useState } from "react";
import type { WorkloadDetail } from "../../api/types";
import { FailureState } from "../../frame/FailureState";
import { useKeys } from "../../frame/keys";
import { Skeleton } from "../../frame/PageState";
import { useDetailSearch } from "../detail/useDetailSearch";
import { isEnded } from "../state";
import { LogSearch } from "./LogSearch";
import { LogToolbar } from "./LogToolbar";
import { LogView } from "./LogView";
import { LINES_MAX, placeOf, placeRead } from "./lines";
import classes from "./logs.module.css";
import type { LogOf } from "./queries";
import { type Picking, RANKS_MAX } from "./RankPicker";
import { step } from "./search";
import type { LogStatus } from "./session";
import { useFound } from "./useFound";
import { useLogs } from "./useLogs";

export function LogTab({ workload }: { workload: WorkloadDetail }) {
  const { total } = workload.replicas;
  const { search } = useDetailSearch();
  // Held here, so that who picks one replica after the other does it in one window.
  const picking = useState(false);
  const asked = (search.rank ?? []).filter((rank) => rank < total);
  const attempt =
    search.attempt !== undefined && search.attempt < workload.attempt && !workload.array
      ? search.attempt
      : null;
  const log: LogOf = {
    id: workload.id,
    ranks: asked.length === 0 && total > RANKS_MAX ? [0] : asked,
    attempt,
  };
  // Another log is another reading: nothing of the one before is kept.
  return <OneLog key={`${log.ranks} ${attempt}`} workload={workload} log={log} picking={picking} />;
}

interface Props {
  workload: WorkloadDetail;
  log: LogOf;
  picking: Picking;
}

function OneLog({ workload, log, picking }: Props) {
  const { search, change } = useDetailSearch();
  const [wrap, setWrap] = useLocalStorage({ key: "podium-log-wrap", defaultValue: true });
  const [times, setTimes] = useLocalStorage({ key: "podium-log-times", defaultValue: true });
  const [words, setWords] = useState(search.find ?? "");
  const [chosen, setChosen] = useState<{ place: string; asked: number } | null>(
    search.line ? { place: search.line, asked: 1 } : null,
  );
  const searchRef = useRef<HTMLInputElement>(null);

  const { session, buffer, status, version } = useLogs(log, search.line ?? null);
  const { found, searchOn } = useFound(log, session, words, status.more || status.apart);
  const place = chosen && placeRead(chosen.place);

  function show(line: Parameters<typeof placeOf>[0] | null): void {
    if (!line) return;
    const next = placeOf(line);
    setChosen((held) => ({ place: next, asked: (held?.asked ?? 0) + 1 }));
    if (buffer.indexOf(line) < 0) void session.goTo(next);
  }
  const move = (by: 1 | -1) => show(step(found.lines, place, by));

  // The last place is the likeliest, and where one reads already.
  const last = found.lines.at(-1);
  const unseen =
    words !== "" &&
    last !== undefined &&
    !found.lines.some((line) => place && placeOf(line) === chosen?.place);
  // biome-ignore lint/correctness/useExhaustiveDependencies: once for each search that finds something.
  useEffect(() => {
    if (unseen && !search.line) show(last ?? null);
  }, [words, unseen]);

  const latest = useRef(change);
  latest.current = change;
  useEffect(() => {
    if ((search.find ?? "") === words) return;
    const timer = setTimeout(() => latest.current({ find: words || undefined }), 300);
    return () => clearTimeout(timer);
  }, [words, search.find]);

  useKeys({
    f: (event) => {
      event.preventDefault();
      searchRef.current?.focus();
    },
    n: () => move(1),
    N: () => move(-1),
    p: () => move(-1),
  });

  const note = noteInWords(status, buffer.lines.length, workload);
  return (
    <>
      <div className={classes.bar}>
        <LogSearch
          inputRef={searchRef}
          words={words}
          found={found}
          chosen={place}
          onWords={setWords}
          onMove={move}
          onSearchOn={searchOn}
        />
        <LogToolbar
          workload={workload}
          log={log}
          picking={picking}
          onRanks={(ranks) =>
            change({ rank: ranks.length > 0 ? ranks : undefined, line: undefined })
          }
          onAttempt={(attempt) => change({ attempt: attempt ?? undefined, line: undefined })}
          wrap={wrap}
          onWrap={setWrap}
          times={times}
          onTimes={setTimes}
        />
      </div>
      {note && (
        <p className={classes.note} role="status">
          {note}
        </p>
      )}
      {buffer.lines.length === 0 ? (
        <Nothing
          status={status}
          workload={workload}
          onRetry={() => (search.line ? session.start(search.line) : session.latest())}
        />
      ) : (
        <LogView
          session={session}
          buffer={buffer}
          status={status}
          version={version}
          ranked={workload.replicas.total > 1 && log.ranks.length !== 1}
          rankLetters={String(workload.replicas.total - 1).length}
          wrap={wrap}
          times={times}
          words={words}
          chosen={chosen}
          onPoint={(line) => {
            setChosen((held) => ({ place: line, asked: held?.asked ?? 0 }));
            change({ line });
          }}
        />
      )}
    </>
  );
}

function Nothing({
  status,
  workload,
  onRetry,
}: {
  status: LogStatus;
  workload: WorkloadDetail;
  onRetry: () => void;
}) {
  if (status.error) return <FailureState error={status.error} onRetry={onRetry} />;
  if (status.phase === "connecting" || status.reading) {
    return <Skeleton rows={8} height={20} label="Loading the log" />;
  }
  return <p className={classes.nothing}>{nothingInWords(workload)}</p>;
}

function nothingInWords({ state, started_at }: WorkloadDetail): string {
  if (isEnded(state)) return "It wrote nothing.";
  return started_at
    ? "Nothing written yet. Lines show here as soon as it writes them."
    : "It has not started. Lines show here as soon as it writes them.";
}

function noteInWords(
  { phase, apart, error }: LogStatus,
  held: number,
  { state }: WorkloadDetail,
): string | null {
  if (error && held > 0) return `${error.message} What is here stays; scroll to try again.`;
  if (phase === "delayed" || phase === "disconnected")
    return "The connection was lost and is being opened again. Nothing will be missing.";
  if (apart && !isEnded(state)) return "A part of the log. New lines show at its end.";
  if (held >= LINES_MAX * 0.9)
    return `This page holds ${LINES_MAX.toLocaleString("en")} lines at most; earlier ones come back when you scroll up.`;
  return null;
}
