/** The clusters that Podium works on: how each is, what it has, and the means to add, change and
 * remove one. */
import { Button } from "@mantine/core";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import access from "../../access/access.module.css";
import type { Cluster } from "../../api/types";
import { EmptyState } from "../../frame/EmptyState";
import { PageHeader } from "../../frame/PageHeader";
import { PageState } from "../../frame/PageState";
import { counted, milliInWords } from "../../quantity/words";
import { useMay } from "../../session/queries";
import pools from "../pools.module.css";
import { useNodesLive } from "../queries";
import { ClusterForm } from "./ClusterForm";
import { ClusterStateBadge } from "./ClusterStateBadge";
import classes from "./clusters.module.css";
import { useClusters } from "./queries";
import { RemoveCluster } from "./RemoveCluster";
import { versionInWords } from "./words";

export default function ClustersPage() {
  useNodesLive();
  const clusters = useClusters();
  const count = clusters.data?.items.length;
  return (
    <section className={classes.page} aria-label="Clusters">
      <PageHeader title="Clusters" count={count?.toLocaleString("en")} />
      <p className={classes.lead}>
        What Podium works on beside the machines of its servers. All of it is among the{" "}
        <Link to="/nodes">nodes and GPUs</Link>.
      </p>
      {clusters.data ? (
        <Clusters items={clusters.data.items} />
      ) : (
        <PageState query={clusters} what="clusters" rows={4} />
      )}
    </section>
  );
}

function Clusters({ items }: { items: readonly Cluster[] }) {
  const manages = useMay()("cluster:manage");
  const { form } = useSearch({ strict: false }) as { form?: string };
  const navigate = useNavigate();
  const open = (next?: string) =>
    void navigate({ to: "/clusters", search: next ? { form: next } : {} });
  const add = manages && <Button onClick={() => open("add")}>Add a cluster</Button>;
  return (
    <>
      {manages && form === "add" && <ClusterForm onClose={() => open()} />}
      {items.length === 0 ? (
        <EmptyState
          title="No clusters"
          sentence={
            manages
              ? "A Kubernetes cluster that is added here shows its nodes and GPUs among all others, and work goes there by the same rules."
              : "Podium works on the machines of its servers alone. An administrator can add a cluster."
          }
          {...(manages && {
            example: "podium cluster add munich --kubeconfig ~/.kube/config",
            action: add,
          })}
        />
      ) : (
        <>
          <div className={classes.bar}>
            <p>{healthInWords(items)}</p>
            {add}
          </div>
          <table className={`${pools.pools} ${classes.table}`} aria-label="Clusters">
            <thead>
              <tr>
                <th scope="col">Cluster</th>
                <th scope="col">State</th>
                <th scope="col">Nodes</th>
                <th scope="col">GPUs held</th>
                <th scope="col">Region</th>
                <th scope="col">Nodes carry</th>
                {manages && (
                  <th scope="col">
                    <span className={access.unseen}>What can be done</span>
                  </th>
                )}
              </tr>
            </thead>
            <tbody>
              {items.map((cluster) => (
                <Row key={cluster.name} cluster={cluster} manages={manages} />
              ))}
            </tbody>
          </table>
        </>
      )}
    </>
  );
}

function Row({ cluster, manages }: { cluster: Cluster; manages: boolean }) {
  const {
    name,
    nodes,
    nodes_ready,
    gpus,
    gpu_milli_used,
    region,
    labels = {},
    missing = [],
  } = cluster;
  const [asked, setAsked] = useState<"change" | "remove" | null>(null);
  const close = () => setAsked(null);
  return (
    <tr data-state={cluster.state}>
      <th scope="row">
        <Link to="/nodes" search={{ cluster: name } as never}>
          {name}
        </Link>
        {cluster.version && <p>Kubernetes {versionInWords(cluster.version)}</p>}
        <p>{cluster.in_cluster ? "Podium runs inside" : cluster.server}</p>
      </th>
      <td className={classes.how}>
        <ClusterStateBadge cluster={cluster} />
        {cluster.words && <p className={classes.words}>{cluster.words}</p>}
        {missing.length > 0 && (
          <p className={classes.words}>Rights missing: {missing.join("; ")}</p>
        )}
        {!cluster.image && manages && <p>Work without an image cannot run there.</p>}
      </td>
      <td className={classes.number}>
        {counted(nodes, "node")}
        {nodes_ready < nodes && <p>{(nodes - nodes_ready).toLocaleString("en")} not ready</p>}
      </td>
      <td>
        {gpus === 0 ? (
          "No GPUs"
        ) : (
          <p className={pools.gpus}>
            <span className={pools.bar} aria-hidden="true">
              <span style={{ width: `${gpu_milli_used / (10 * gpus)}%` }} />
            </span>
            {milliInWords(gpu_milli_used)} of {gpus.toLocaleString("en")}
          </p>
        )}
      </td>
      <td className={classes.region}>{region || "–"}</td>
      <td className={pools.labels}>
        <code>cluster={name}</code>
        {Object.entries(labels).map(([key, value]) => (
          <code key={key}>
            {key}={value}
          </code>
        ))}
      </td>
      {manages && (
        <td className={classes.does}>
          <button
            type="button"
            className={access.textButton}
            aria-label={`Change ${name}`}
            onClick={() => setAsked("change")}
          >
            Change
          </button>
          <button
            type="button"
            className={access.textButton}
            data-ends
            aria-label={`Remove ${name}`}
            onClick={() => setAsked("remove")}
          >
            Remove
          </button>
          {asked === "change" && <ClusterForm cluster={cluster} onClose={close} />}
          {asked === "remove" && <RemoveCluster cluster={cluster} onClose={close} />}
        </td>
      )}
    </tr>
  );
}

/** What comes first: whether any of them is out of reach. */
export function healthInWords(items: readonly Cluster[]): string {
  const away = items.filter(({ state }) => state === "unreachable");
  if (away.length === 0) {
    const waits = items.some(({ state }) => state === "connecting");
    return waits ? "The first reports are on their way." : "All of them answer.";
  }
  const names = away.map(({ name }) => name).join(", ");
  const rest = items.length > away.length ? " The others go on." : "";
  return `${names} ${away.length === 1 ? "does" : "do"} not answer. What was placed there stays held.${rest}`;
}
