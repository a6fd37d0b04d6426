/** Whose log, how it is shown, and the whole of it as a file. */
import type { WorkloadDetail } from "../../api/types";
import frame from "../../frame/frame.module.css";
import { IconButton } from "../../frame/IconButton";
import { ClockIcon, DownloadIcon, WrapIcon } from "../../frame/icons";
import classes from "./logs.module.css";
import { type LogOf, logAddress } from "./queries";
import { type Picking, RankPicker } from "./RankPicker";

interface Props {
  workload: WorkloadDetail;
  log: LogOf;
  picking: Picking;
  onRanks: (ranks: number[]) => void;
  onAttempt: (attempt: number | null) => void;
  wrap: boolean;
  onWrap: (wrap: boolean) => void;
  times: boolean;
  onTimes: (times: boolean) => void;
}

export function LogToolbar(props: Props) {
  const { workload, log, picking, onRanks, onAttempt, wrap, onWrap, times, onTimes } = props;
  return (
    <div className={classes.tools}>
      {workload.attempt > 1 && !workload.array && (
        <select
          className={classes.choice}
          aria-label="Attempt"
          value={log.attempt ?? workload.attempt}
          onChange={({ currentTarget: { value } }) =>
            onAttempt(Number(value) === workload.attempt ? null : Number(value))
          }
        >
          {Array.from({ length: workload.attempt }, (_, at) => workload.attempt - at).map(
            (each) => (
              <option key={each} value={each}>
                Attempt {each}
                {each === workload.attempt ? " (latest)" : ""}
              </option>
            ),
          )}
        </select>
      )}
      {workload.replicas.total > 1 && (
        <RankPicker workload={workload} ranks={log.ranks} picking={picking} onRanks={onRanks} />
      )}
      <IconButton label="Wrap long lines" pressed={wrap} onClick={() => onWrap(!wrap)}>
        <WrapIcon />
      </IconButton>
      <IconButton label="Show times" pressed={times} onClick={() => onTimes(!times)}>
        <ClockIcon />
      </IconButton>
      <a
        className={frame.iconButton}
        href={logAddress(log, times ? { timestamps: true } : {})}
        download={`${workload.name}${log.ranks.length === 1 ? `-${log.ranks[0]}` : ""}.log`}
        aria-label="Download the whole log"
        title="Download the whole log"
      >
        <DownloadIcon />
      </a>
    </div>
  );
}
