/** The page of nodes: each with its GPUs as cells, what is in use of them, and its health. */
import { EmptyState } from "../frame/EmptyState";
import { FailureState } from "../frame/FailureState";
import { PageHeader } from "../frame/PageHeader";
import { GpuLegend } from "./GpuLegend";
import { NodeRow } from "./NodeRow";
import { NodesSummary } from "./NodesSummary";
import classes from "./nodes.module.css";
import { useNodes } from "./queries";

export function NodesPage() {
  const { data, error, refetch } = useNodes();
  const nodes = data?.items;
  return (
    <div className={classes.page}>
      <PageHeader title="Nodes and GPUs" count={nodes && String(nodes.length)} />
      {error && !nodes && <FailureState error={error} onRetry={() => refetch()} />}
      {nodes?.length === 0 && (
        <EmptyState
          title="No nodes yet"
          sentence="A node is a machine that Podium runs work on. Start a server on one, and it shows here with its GPUs."
          example="podium up"
        />
      )}
      {nodes && nodes.length > 0 && (
        <>
          <div className={classes.top}>
            <NodesSummary nodes={nodes} />
            <GpuLegend nodes={nodes} />
          </div>
          <ul className={classes.list} aria-label="Nodes">
            {nodes.map((node) => (
              <NodeRow key={node.name} node={node} />
            ))}
          </ul>
        </>
      )}
    </div>
  );
}
