/** What is placed on a node, as far as the reader may see it. */
import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { FailureState } from "../frame/FailureState";
import { bytesInWords, counted, milliInWords } from "../quantity/words";
import { Duration } from "../time/Times";
import { ranksWritten } from "../workloads/logs/ranks";
import { StateBadge } from "../workloads/StateIcon";
import classes from "./node.module.css";
import { useNodeReplicas } from "./queries";

/** `expected` counts everyone's replicas on the node. */
export function NodeReplicas({ name, expected }: { name: string; expected: number }) {
  const list = useNodeReplicas(name);
  const known = list.data?.pages.flatMap((page) => page.items);
  const hidden = known && !list.hasNextPage ? Math.max(0, expected - known.length) : 0;
  return (
    <section aria-labelledby="node-replicas">
      <h2 id="node-replicas" className={classes.heading}>
        Placed here <span>{expected.toLocaleString("en")}</span>
      </h2>
      {list.error && !known && <FailureState error={list.error} onRetry={() => list.refetch()} />}
      {known?.length === 0 && hidden === 0 && <p className={classes.quiet}>Nothing now.</p>}
      {known && known.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keys.
        <section className={classes.tableScroll} tabIndex={0} aria-label="Replicas on this node">
          <table className={classes.table}>
            <thead>
              <tr>
                <th scope="col">State</th>
                <th scope="col">Workload</th>
                <th scope="col" data-number>
                  Rank
                </th>
                <th scope="col">Project</th>
                <th scope="col">Owner</th>
                <th scope="col">GPUs</th>
                <th scope="col" data-number>
                  CPU
                </th>
                <th scope="col" data-number>
                  Memory
                </th>
                <th scope="col" data-number>
                  Here for
                </th>
              </tr>
            </thead>
            <tbody>
              {known.map((replica) => (
                <tr key={replica.allocation_id}>
                  <td>
                    <StateBadge state={replica.state} />
                  </td>
                  <td>
                    <Link to="/workloads/$id" params={{ id: replica.workload_id }}>
                      {replica.name}
                    </Link>
                  </td>
                  <td data-number>{replica.rank}</td>
                  <td>{replica.project}</td>
                  <td>{replica.owner}</td>
                  <td>{replica.devices.length > 0 ? ranksWritten(replica.devices) : "–"}</td>
                  <td data-number>{milliInWords(replica.cpu_milli)}</td>
                  <td data-number>{bytesInWords(replica.memory_bytes)}</td>
                  <td data-number>
                    <Duration start={replica.since} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
      {list.hasNextPage && (
        <Button
          mt={8}
          variant="default"
          loading={list.isFetchingNextPage}
          onClick={() => list.fetchNextPage()}
        >
          Show more
        </Button>
      )}
      {hidden > 0 && (
        <p className={classes.quiet}>
          {counted(hidden, "replica")} of projects that are not yours {hidden === 1 ? "is" : "are"}{" "}
          not shown.
        </p>
      )}
    </section>
  );
}
