/** Whose log, how it is shown, and the whole of it as a file. */
import { NumberInput } from "@mantine/core";
import type { WorkloadDetail } from "../../api/types";
import frame from "../../frame/frame.module.css";
import { IconButton } from "../../frame/IconButton";
import { ClockIcon, DownloadIcon, WrapIcon } from "../../frame/icons";
import classes from "./logs.module.css";

interface Props {
  workload: WorkloadDetail;
  rank: number | null;
  /** Whether all replicas may be followed at once. */
  all: boolean;
  onRank: (rank: number | null) => void;
  wrap: boolean;
  onWrap: (wrap: boolean) => void;
  times: boolean;
  onTimes: (times: boolean) => void;
}

export function LogToolbar(props: Props) {
  const { workload, rank, all, onRank, wrap, onWrap, times, onTimes } = props;
  const { total } = workload.replicas;
  const word = workload.array ? "Task" : "Replica";
  return (
    <div className={classes.tools}>
      {total > 1 && (
        <NumberInput
          className={classes.rankField}
          size="xs"
          aria-label={`${word}, 0 to ${total - 1}${all ? "; empty for all" : ""}`}
          title={`${word}, 0 to ${total - 1}${all ? "; empty for all" : ""}`}
          prefix={`${word} `}
          min={0}
          max={total - 1}
          clampBehavior="strict"
          placeholder={`All ${total.toLocaleString("en")} ${word.toLowerCase()}s`}
          allowDecimal={false}
          value={rank ?? ""}
          onChange={(next) => onRank(typeof next === "number" ? next : all ? null : 0)}
        />
      )}
      <IconButton label="Wrap long lines" pressed={wrap} onClick={() => onWrap(!wrap)}>
        <WrapIcon />
      </IconButton>
      <IconButton label="Show times" pressed={times} onClick={() => onTimes(!times)}>
        <ClockIcon />
      </IconButton>
      <a
        className={frame.iconButton}
        href={textAddress(workload.id, rank, times)}
        download={`${workload.name}${rank === null ? "" : `-${rank}`}.log`}
        aria-label="Download the whole log"
        title="Download the whole log"
      >
        <DownloadIcon />
      </a>
    </div>
  );
}

export function textAddress(id: string, rank: number | null, times: boolean): string {
  const search = new URLSearchParams({
    ...(rank !== null && { rank: String(rank) }),
    ...(times && { timestamps: "true" }),
  });
  return `/api/v1/workloads/${encodeURIComponent(id)}/logs${search.size > 0 ? `?${search}` : ""}`;
}
