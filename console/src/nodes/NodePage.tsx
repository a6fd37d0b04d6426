/** One node: its GPUs with who is on them, what runs here, where it stands, and its curves. */
import { Button } from "@mantine/core";
import { Link, useParams } from "@tanstack/react-router";
import { useState } from "react";
import type { Node } from "../api/types";
import { FailureState } from "../frame/FailureState";
import { PageHeader } from "../frame/PageHeader";
import { bytesInWords, counted, milliInWords } from "../quantity/words";
import { useMay } from "../session/queries";
import { RelativeTime } from "../time/Times";
import { CordonDialog } from "./CordonDialog";
import { DeviceCard } from "./DeviceCard";
import { NodeCurves } from "./NodeCurves";
import { NodeNeighbours } from "./NodeNeighbours";
import { NodeReplicas } from "./NodeReplicas";
import { Meter } from "./NodeRow";
import { NodeStateBadge } from "./NodeStateBadge";
import classes from "./node.module.css";
import { useCordon, useNode, useNodesLive } from "./queries";
import { ReleaseButton } from "./ReleaseButton";
import { nodeRoomInWords } from "./room";
import { placeInWords } from "./view";

export default function NodePage() {
  const { name = "" } = useParams({ strict: false });
  useNodesLive();
  const { data: node, error, refetch } = useNode(name);
  return (
    <div className={classes.page}>
      <p className={classes.crumb}>
        <Link to="/nodes">Nodes and GPUs</Link>
      </p>
      <PageHeader title={name}>
        {node && <CordonButton node={node} />}
        {node && <ReleaseButton node={node} />}
      </PageHeader>
      {error && !node && <FailureState error={error} onRetry={() => refetch()} />}
      {node && <Shown node={node} />}
    </div>
  );
}

function Shown({ node }: { node: Node }) {
  return (
    <>
      <div className={classes.lead}>
        <NodeStateBadge state={node.state} />
        <p className={classes.sentence}>{nodeSentence(node)}</p>
      </div>
      <dl className={classes.facts}>
        <div>
          <dt>Place</dt>
          <dd>{placeInWords(node) || "Not told"}</dd>
        </div>
        {node.pool && (
          <div>
            <dt>Pool</dt>
            <dd>
              <Link to="/nodes" search={{ pool: node.pool } as never}>
                {node.pool}
              </Link>
            </dd>
          </div>
        )}
        <div>
          <dt>Address</dt>
          <dd>{node.address || "–"}</dd>
        </div>
        <div>
          <dt>Engine</dt>
          <dd>{node.engine}</dd>
        </div>
        <div>
          <dt>Last seen</dt>
          <dd>
            <RelativeTime at={node.seen_at} />
          </dd>
        </div>
        {Object.keys(node.labels ?? {}).length > 0 && (
          <div>
            <dt>Labels</dt>
            <dd className={classes.labels}>
              {Object.entries(node.labels ?? {}).map(([key, value]) => (
                <code key={key}>
                  {key}={value}
                </code>
              ))}
            </dd>
          </div>
        )}
      </dl>
      <dl className={classes.meters}>
        <Meter
          name="CPU"
          share={node.cpu_milli_used / node.cpu_milli}
          words={`${milliInWords(node.cpu_milli_used)} of ${milliInWords(node.cpu_milli)} held`}
        />
        <Meter
          name="Memory"
          share={node.memory_bytes_used / node.memory_bytes}
          words={`${bytesInWords(node.memory_bytes_used)} of ${bytesInWords(node.memory_bytes)} held`}
        />
      </dl>
      {node.devices.length > 0 && (
        <section aria-labelledby="node-gpus">
          <h2 id="node-gpus" className={classes.heading}>
            GPUs <span>{node.devices.length}</span>
          </h2>
          <p className={classes.still}>{nodeRoomInWords(node)}</p>
          <ul className={classes.devices}>
            {node.devices.map((device) => (
              <DeviceCard key={device.id} device={device} node={node.name} />
            ))}
          </ul>
        </section>
      )}
      <NodeReplicas name={node.name} expected={node.replicas ?? 0} />
      <NodeCurves node={node} />
      <NodeNeighbours node={node} />
    </>
  );
}

/** "6 of 8 GPUs are held, 4 of them really used. 3 replicas are placed here." */
export function nodeSentence(node: Node): string {
  const { devices, state, replicas = 0, given_up: givenUp = 0 } = node;
  const held = devices.reduce((sum, device) => sum + device.gpu_milli_used, 0);
  const measured = devices.filter((device) => device.busy_milli != null);
  const busy = measured.reduce((sum, device) => sum + (device.busy_milli ?? 0), 0);
  const placed =
    replicas === 0
      ? "Nothing is placed here."
      : `${counted(replicas, "replica")} ${replicas === 1 ? "is" : "are"} placed here.`;
  const gpus =
    devices.length === 0
      ? ["It has no GPUs."]
      : [
          `${milliInWords(held)} of ${counted(devices.length, "GPU")} held` +
            (measured.length > 0 ? `, ${milliInWords(busy)} really used.` : "."),
        ];
  const states: Record<Node["state"], string[]> = {
    ready: [],
    cordoned: ["It keeps what runs and takes nothing new."],
    lost: ["It has not reported for too long; what runs on it is out of sight."],
  };
  const before = givenUp > 0 ? [givenUpInWords(node)] : [];
  return [...states[state], ...before, ...gpus, placed].join(" ");
}

function givenUpInWords({ state, given_up: givenUp = 0 }: Node): string {
  const what = `${counted(givenUp, "replica")} ${givenUp === 1 ? "was" : "were"} given up here`;
  if (state === "lost") return `${what} and may still run.`;
  return `${what}; nothing new is placed until ${givenUp === 1 ? "it has" : "they have"} ended.`;
}

function CordonButton({ node }: { node: Node }) {
  const may = useMay();
  const cordon = useCordon(node.name);
  const [asking, setAsking] = useState(false);
  if (!may("node:control") || node.state === "lost") return null;
  const cordoned = node.state === "cordoned";
  return (
    <span className={classes.action}>
      {cordon.error && (
        <span role="alert" className={classes.fault}>
          {cordon.error.message}
        </span>
      )}
      <Button
        variant="default"
        loading={cordon.isPending}
        onClick={() => (cordoned ? cordon.mutate(false) : setAsking(true))}
        title={
          cordoned ? "New work may be placed here again" : "What runs goes on; nothing new comes"
        }
      >
        {cordoned ? "Uncordon" : "Cordon"}
      </Button>
      {asking && <CordonDialog node={node} onClose={() => setAsking(false)} />}
    </span>
  );
}
