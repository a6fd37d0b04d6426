/** The page of nodes: the cluster as a map of racks and GPUs, as a list with its figures, the pools
 * that its nodes belong to, or how much of what is free is of use. */
import { Button } from "@mantine/core";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo, useRef } from "react";
import type { Node } from "../api/types";
import { rangeRead } from "../charts/range";
import { EmptyState } from "../frame/EmptyState";
import { FailureState } from "../frame/FailureState";
import { useKeys } from "../frame/keys";
import { PageHeader } from "../frame/PageHeader";
import { useMay } from "../session/queries";
import { Fragmentation } from "./Fragmentation";
import { GpuLegend } from "./GpuLegend";
import { NodeList } from "./NodeList";
import { NodeMap } from "./NodeMap";
import { NodesBar } from "./NodesBar";
import { NodesSummary } from "./NodesSummary";
import classes from "./nodes.module.css";
import { Pools } from "./Pools";
import { useNodes, useNodesLive } from "./queries";
import {
  clustersOf,
  type NodesView,
  nodesShown,
  nodesViewRead,
  poolsOf,
  racksOf,
  typesOf,
} from "./view";

export function NodesPage() {
  useNodesLive();
  const { data: nodes, error, refetch, isPending } = useNodes();
  return (
    <div className={classes.fixed}>
      <PageHeader title="Nodes and GPUs" count={nodes?.length.toLocaleString("en")}>
        <ClustersLink nodes={nodes ?? []} />
      </PageHeader>
      {error && !nodes && <FailureState error={error} onRetry={() => refetch()} />}
      {isPending && <Waiting />}
      {nodes?.length === 0 && (
        <EmptyState
          title="No nodes yet"
          sentence="A node is a machine that Podium runs work on. Start a server on one, and it shows here with its GPUs."
          example="podium up"
        />
      )}
      {nodes && nodes.length > 0 && <Nodes nodes={nodes} />}
    </div>
  );
}

/** For who may add one, and wherever there is one. */
function ClustersLink({ nodes }: { nodes: readonly Node[] }) {
  const manages = useMay()("cluster:manage");
  if (!manages && !nodes.some(({ cluster }) => cluster)) return null;
  return (
    <Link to="/clusters" className={classes.clusters}>
      Clusters
    </Link>
  );
}

function Nodes({ nodes }: { nodes: readonly Node[] }) {
  const view = nodesViewRead(useSearch({ strict: false }));
  const navigate = useNavigate();
  const scroll = useRef<HTMLDivElement>(null);
  const searchRef = useRef<HTMLInputElement>(null);
  const { show, type, pool, cluster, q } = view;
  const shown = useMemo(
    () =>
      nodesShown(nodes, {
        ...(show && { show }),
        ...(type && { type }),
        ...(pool && { pool }),
        ...(cluster && { cluster }),
        ...(q && { q }),
      }),
    [nodes, show, type, pool, cluster, q],
  );
  const pools = useMemo(() => poolsOf(nodes), [nodes]);
  const clusters = useMemo(() => clustersOf(nodes), [nodes]);
  const types = useMemo(() => typesOf(nodes), [nodes]);
  useKeys({
    "/": (event) => {
      event.preventDefault();
      searchRef.current?.focus();
    },
  });
  const change = (next: NodesView) =>
    void navigate({
      to: "/nodes",
      // The project of the frame stays.
      search: ((before: Record<string, unknown>) => ({
        ...(before.project !== undefined && { project: before.project }),
        ...(next.view === "fragmentation" && rangeRead(before)),
        ...next,
      })) as never,
      replace: "q" in next,
    });
  return (
    <>
      <div className={classes.top}>
        <NodesSummary nodes={nodes} />
        <GpuLegend nodes={nodes} />
      </div>
      <NodesBar {...{ view, types, pools, clusters, searchRef }} onChange={change} />
      <div ref={scroll} className={classes.scroll}>
        {view.view === "pools" ? (
          <Pools />
        ) : view.view === "fragmentation" ? (
          <Fragmentation type={type} pool={pool} />
        ) : shown.length === 0 ? (
          <EmptyState
            title="No node matches"
            sentence="Nothing here has all that the filters ask for."
            action={
              <Button variant="default" component={Link} to="/nodes">
                Clear filters
              </Button>
            }
          />
        ) : view.view === "list" ? (
          <NodeList nodes={racksOf(shown).flatMap((rack) => rack.nodes)} scroll={scroll} />
        ) : (
          <NodeMap nodes={shown} scroll={scroll} />
        )}
      </div>
    </>
  );
}

/** The size of what is to come, so that nothing jumps. */
function Waiting() {
  return (
    <div className={classes.skeletons} aria-hidden="true">
      {Array.from({ length: 8 }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: they are all alike and never move.
        <span key={index} />
      ))}
    </div>
  );
}
