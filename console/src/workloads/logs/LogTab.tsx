/** The log of a workload, live: which replica's, searched, wrapped, with times, or downloaded. */
import { useLocalStorage } from "@mantine/hooks";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo, useRef, useState } from "react";
import type { LogLine, WorkloadDetail } from "../../api/types";
import { useKeys } from "../../frame/keys";
import { isEnded } from "../state";
import { LogSearch } from "./LogSearch";
import { LogToolbar } from "./LogToolbar";
import { LogView } from "./LogView";
import classes from "./logs.module.css";
import { linesFound, step } from "./search";
import { useLogs } from "./useLogs";

/** The server follows so many replicas at once; of more, one is chosen. */
const FOLLOWED_MAX = 256;

export function LogTab({ workload }: { workload: WorkloadDetail }) {
  const { total } = workload.replicas;
  const all = total <= FOLLOWED_MAX;
  const { rank: asked } = useSearch({ from: "/workloads/$id" });
  const rank = asked !== undefined && asked < total ? asked : all ? null : 0;
  const navigate = useNavigate();
  const [wrap, setWrap] = useLocalStorage({ key: "podium-log-wrap", defaultValue: true });
  const [times, setTimes] = useLocalStorage({ key: "podium-log-times", defaultValue: true });

  const { lines, mayLack, phase } = useLogs(workload.id, rank);
  const [words, setWords] = useState("");
  const [chosen, setChosen] = useState<LogLine | null>(null);
  const found = useMemo(() => linesFound(lines, words), [lines, words]);
  const searchRef = useRef<HTMLInputElement>(null);
  const move = (by: 1 | -1) => setChosen((from) => step(found, from, by));
  useKeys({
    f: (event) => {
      event.preventDefault();
      searchRef.current?.focus();
    },
    n: () => move(1),
    p: () => move(-1),
  });

  return (
    <>
      <div className={classes.bar}>
        <LogSearch
          inputRef={searchRef}
          words={words}
          found={found}
          chosen={chosen}
          onWords={(next) => {
            setWords(next);
            // The last place is the likeliest, and where one reads already.
            setChosen(linesFound(lines, next).at(-1) ?? null);
          }}
          onMove={move}
        />
        <LogToolbar
          workload={workload}
          rank={rank}
          all={all}
          onRank={(next) =>
            void navigate({
              to: ".",
              search: ({ rank: _, ...kept }) => ({ ...kept, ...(next !== null && { rank: next }) }),
              replace: true,
            })
          }
          wrap={wrap}
          onWrap={setWrap}
          times={times}
          onTimes={setTimes}
        />
      </div>
      {lines.length === 0 ? (
        <p className={classes.note}>{phase === "connecting" ? "" : nothingInWords(workload)}</p>
      ) : (
        <>
          {mayLack && (
            <p className={classes.note}>
              The last {lines.length.toLocaleString("en")} lines; the download has earlier ones too.
            </p>
          )}
          <LogView
            lines={lines}
            ranked={total > 1 && rank === null}
            wrap={wrap}
            times={times}
            words={words}
            chosen={chosen}
          />
        </>
      )}
    </>
  );
}

function nothingInWords({ state }: WorkloadDetail): string {
  return isEnded(state)
    ? "It wrote nothing."
    : "Nothing written yet. Lines show here as soon as it writes them.";
}
