/** One recorded cycle, with what deciding it again has shown. */
import { Button, Menu } from "@mantine/core";
import type { Cycle, Replayed } from "../api/types";
import { DownloadIcon } from "../frame/icons";
import { counted } from "../quantity/words";
import { RelativeTime } from "../time/Times";
import { recordAddress, useReplay } from "./queries";
import classes from "./scheduler.module.css";
import { reasonsInWords, tookInWords } from "./words";

export function CycleRow({ cycle }: { cycle: Cycle }) {
  const replay = useReplay(cycle.id);
  const told = replay.data || replay.error;
  return (
    <>
      <tr data-told={told ? true : undefined}>
        <td data-number data-column="id">
          {cycle.id}
        </td>
        <td data-column="at">
          <RelativeTime at={cycle.at} />
        </td>
        <td data-number data-column="took" title={partsInWords(cycle)}>
          {tookInWords(cycle.took_ms)}
        </td>
        <td data-column="did">{didInWords(cycle)}</td>
        <td data-number data-column="waiting">
          {cycle.waiting.toLocaleString("en")} <span className={classes.narrow}>waiting</span>
        </td>
        <td data-column="reasons">{reasonsInWords(cycle.reasons)}</td>
        <td data-column="actions">
          <Button
            size="compact-sm"
            variant="default"
            loading={replay.isPending}
            onClick={() => replay.mutate()}
            aria-label={`Replay cycle ${cycle.id}`}
          >
            Replay
          </Button>
          <Menu position="bottom-end">
            <Menu.Target>
              <Button
                size="compact-sm"
                variant="default"
                aria-label={`Download cycle ${cycle.id}`}
                title="Download"
              >
                <DownloadIcon />
              </Button>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item component="a" href={recordAddress(cycle.id, true)} download>
                Without names
              </Menu.Item>
              <Menu.Item component="a" href={recordAddress(cycle.id, false)} download>
                With names of people and projects
              </Menu.Item>
            </Menu.Dropdown>
          </Menu>
        </td>
      </tr>
      {told && (
        <tr className={classes.told}>
          <td colSpan={7}>
            <p role="status" data-same={replay.data?.same}>
              {replay.data ? replayedInWords(replay.data) : replay.error?.message}
            </p>
          </td>
        </tr>
      )}
    </>
  );
}

/** "1 placed, 2 gave way", "3 heard a new reason" */
function didInWords({ placed, preempted, told, reserved, stale }: Cycle): string {
  const parts = [
    ...(placed > 0 ? [`${placed.toLocaleString("en")} placed`] : []),
    ...(preempted > 0 ? [`${preempted.toLocaleString("en")} gave way`] : []),
    ...(told > 0
      ? [`${told.toLocaleString("en")} told why ${told === 1 ? "it waits" : "they wait"}`]
      : []),
    ...(stale > 0 ? [`${counted(stale, "part")} no longer held`] : []),
  ];
  if (parts.length > 0) return parts.join(", ");
  return reserved > 0 ? `nodes kept for ${counted(reserved, "workload")}` : "another order";
}

function partsInWords({ took_ms, read_ms, decide_ms }: Cycle): string {
  const rest = Math.max(0, took_ms - read_ms - decide_ms);
  return `Reading ${tookInWords(read_ms)}, deciding ${tookInWords(decide_ms)}, writing ${tookInWords(rest)}`;
}

function replayedInWords(again: Replayed): string {
  const versions =
    again.version === again.replayed_with
      ? ""
      : ` It was first decided by Podium ${again.version}, and now by ${again.replayed_with}.`;
  return again.same
    ? `Decided again in ${tookInWords(again.took_ms)}: the same plan, ${again.digest.slice(0, 12)}.${versions}`
    : `Decided again: another plan. ${again.difference}${versions}`;
}
