/** A cluster's state with its own shape and hue, and since when where that matters. */
import type { Cluster } from "../../api/types";
import { CheckIcon, ClockIcon, WarningIcon } from "../../frame/icons";
import { Duration } from "../../time/Times";
import classes from "./clusters.module.css";

const shown = {
  ready: { label: "Ready", Icon: CheckIcon, says: "It answers." },
  connecting: { label: "Connecting", Icon: ClockIcon, says: "Nothing was heard of it yet." },
  unreachable: { label: "Does not answer", Icon: WarningIcon, says: "Podium cannot reach it." },
} as const;

export function ClusterStateBadge({ cluster }: { cluster: Cluster }) {
  const { state, since } = cluster;
  const { label, Icon, says } = shown[state];
  return (
    <span className={classes.state} data-state={state} title={says}>
      <Icon />
      <span>
        {label}
        {state === "unreachable" && (
          <>
            {" "}
            for <Duration start={since} />
          </>
        )}
      </span>
    </span>
  );
}
