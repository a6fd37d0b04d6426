/** Chooses whose log is shown: everyone's, some ranks', or one's. */
import { Popover, TextInput } from "@mantine/core";
import { useState } from "react";
import type { WorkloadDetail } from "../../api/types";
import { ChevronIcon } from "../../frame/icons";
import { rankColour } from "./LogRow";
import classes from "./logs.module.css";
import { ranksRead, ranksWritten } from "./ranks";

/** The server reads so many replicas as one. */
export const RANKS_MAX = 256;

/** Whether the window to pick in is open, and what opens and closes it. */
export type Picking = [boolean, (opened: boolean) => void];

interface Props {
  workload: WorkloadDetail;
  picking: Picking;
  /** Empty means all. */
  ranks: readonly number[];
  onRanks: (ranks: number[]) => void;
}

export function RankPicker({ workload, picking, ranks, onRanks }: Props) {
  const [opened, setOpened] = picking;
  const { total } = workload.replicas;
  const word = workload.array ? "task" : "replica";
  const all = total <= RANKS_MAX;
  return (
    <Popover
      opened={opened}
      onChange={setOpened}
      position="bottom-end"
      width={248}
      trapFocus
      returnFocus
      shadow="none"
    >
      <Popover.Target>
        <button
          type="button"
          className={classes.choice}
          aria-label={`Whose log: ${chosenInWords(ranks, total, word)}`}
          onClick={() => setOpened(!opened)}
        >
          {chosenInWords(ranks, total, word)}
          <ChevronIcon />
        </button>
      </Popover.Target>
      <Popover.Dropdown className={classes.picker} aria-label={`Choose ${word}s`}>
        <RankField
          key={ranks.join(" ")}
          ranks={ranks}
          total={total}
          word={word}
          onRanks={onRanks}
        />
        {all && (
          <ul className={classes.pickerRanks}>
            <li>
              <label>
                <input type="checkbox" checked={ranks.length === 0} onChange={() => onRanks([])} />
                All {word}s
              </label>
            </li>
            {workload.replica_list.map(({ rank, node }) => (
              <li key={rank}>
                <label>
                  <input
                    type="checkbox"
                    checked={ranks.includes(rank)}
                    onChange={(event) =>
                      onRanks(
                        event.currentTarget.checked
                          ? [...ranks, rank].sort((a, b) => a - b)
                          : ranks.filter((each) => each !== rank),
                      )
                    }
                  />
                  <span className={classes.rank} style={{ borderColor: rankColour(rank) }}>
                    {rank}
                  </span>
                  <span className={classes.pickerNode}>{node ?? "not placed"}</span>
                </label>
              </li>
            ))}
          </ul>
        )}
      </Popover.Dropdown>
    </Popover>
  );
}

interface FieldProps {
  ranks: readonly number[];
  total: number;
  word: string;
  onRanks: (ranks: number[]) => void;
}

function RankField({ ranks, total, word, onRanks }: FieldProps) {
  const [text, setText] = useState(ranksWritten(ranks));
  const read = ranksRead(text, total, RANKS_MAX);
  return (
    <TextInput
      size="xs"
      label={`Ranks, 0 to ${total - 1}`}
      placeholder={total <= RANKS_MAX ? `0-3, 7; empty for all` : "0-3, 7"}
      value={text}
      error={read === null && `Write the ranks of ${word}s, such as 0-3, 7.`}
      onChange={(event) => setText(event.currentTarget.value)}
      onBlur={() => read && read.join() !== ranks.join() && onRanks(read)}
      onKeyDown={(event) => {
        if (event.key === "Enter" && read) onRanks(read);
      }}
    />
  );
}

function chosenInWords(ranks: readonly number[], total: number, word: string): string {
  const [only] = ranks;
  const name = word.charAt(0).toUpperCase() + word.slice(1);
  if (only === undefined) return `All ${total.toLocaleString("en")} ${word}s`;
  if (ranks.length === 1) return `${name} ${only}`;
  return `${ranks.length} of ${total.toLocaleString("en")} ${word}s`;
}
