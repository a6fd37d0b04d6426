/** The pools that are open to the reader: what is in each, how much of it is held, and by whom it
 * may be used. */
import { Link } from "@tanstack/react-router";
import type { Pool } from "../api/types";
import { EmptyState } from "../frame/EmptyState";
import { FailureState } from "../frame/FailureState";
import { counted, milliInWords } from "../quantity/words";
import classes from "./pools.module.css";
import { usePools } from "./queries";

export function Pools() {
  const { data, error, refetch } = usePools();
  if (error && !data) return <FailureState error={error} onRetry={() => refetch()} />;
  if (!data) return null;
  if (data.items.length === 0)
    return (
      <EmptyState
        title="No pools"
        sentence="A pool is a named set of nodes, with a rule who may use it. An administrator makes one."
        example="podium pool set a100 --label gpu=a100"
      />
    );
  return (
    <table className={classes.pools} aria-label="Pools">
      <thead>
        <tr>
          <th scope="col">Pool</th>
          <th scope="col">Nodes</th>
          <th scope="col">GPUs held</th>
          <th scope="col">Open to</th>
          <th scope="col">Nodes with</th>
        </tr>
      </thead>
      <tbody>
        {data.items.map((pool) => (
          <tr key={pool.name}>
            <th scope="row">
              <Link to="/nodes" search={{ pool: pool.name } as never}>
                {pool.name}
              </Link>
              {pool.note && <p>{pool.note}</p>}
            </th>
            <td>
              {counted(pool.nodes, "node")}
              {pool.nodes_ready < pool.nodes && (
                <p>{(pool.nodes - pool.nodes_ready).toLocaleString("en")} not ready</p>
              )}
            </td>
            <td>
              {pool.gpus.length === 0 && "No GPUs"}
              {pool.gpus.map(({ type, gpu_milli, gpu_milli_used }) => (
                <p key={type} className={classes.gpus}>
                  <span className={classes.bar} aria-hidden="true">
                    <span
                      style={{ width: `${(100 * gpu_milli_used) / Math.max(1, gpu_milli)}%` }}
                    />
                  </span>
                  {milliInWords(gpu_milli_used)} of {milliInWords(gpu_milli)} {type}
                </p>
              ))}
            </td>
            <td className={classes.open}>{openInWords(pool)}</td>
            <td className={classes.labels}>
              {Object.entries(pool.labels).map(([key, value]) => (
                <code key={key}>
                  {key}={value}
                </code>
              ))}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** "Everyone", "Team research, project vision and 2 others". */
export function openInWords({ restricted, teams, projects, others }: Pool): string {
  if (!restricted) return "Everyone";
  const names = [
    ...teams.map((name) => `team ${name}`),
    ...projects.map((name) => `project ${name}`),
  ];
  if (others > 0) names.push(names.length > 0 ? counted(others, "other") : "others");
  const last = names.pop() ?? "";
  const words = names.length > 0 ? `${names.join(", ")} and ${last}` : last;
  return words.charAt(0).toUpperCase() + words.slice(1);
}
