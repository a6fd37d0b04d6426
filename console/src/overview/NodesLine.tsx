/** The nodes and their health, in a line. */
import type { Overview } from "../api/types";
import { WarningIcon } from "../frame/icons";
import { counted } from "../quantity/words";
import { NodesLink } from "./links";
import classes from "./overview.module.css";

export function NodesLine({ nodes }: { nodes: Overview["nodes"] | undefined }) {
  if (!nodes) return null;
  const { ready, cordoned, lost, unhealthy_devices: unhealthy } = nodes;
  return (
    <span className={classes.nodesLine}>
      <NodesLink to={{}}>
        {counted(ready, "node")} ready
        {cordoned > 0 && `, ${cordoned} cordoned`}
      </NodesLink>
      {lost > 0 && (
        <span className={classes.trouble} data-tone="warning">
          <WarningIcon />
          <NodesLink to={{ show: "trouble" }}>{lost.toLocaleString("en")} lost</NodesLink>
        </span>
      )}
      {unhealthy > 0 && (
        <span className={classes.trouble} data-tone="failed">
          <WarningIcon />
          <NodesLink to={{ show: "trouble" }}>{counted(unhealthy, "unhealthy GPU")}</NodesLink>
        </span>
      )}
    </span>
  );
}
