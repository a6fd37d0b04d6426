/** One node: name, state, place, CPU and memory in use, and its GPUs. */
import { Link } from "@tanstack/react-router";
import type { Node } from "../api/types";
import { bytesInWords, counted, milliInWords } from "../quantity/words";
import { RelativeTime } from "../time/Times";
import { GpuCell } from "./GpuCell";
import { NodeStateBadge } from "./NodeStateBadge";
import classes from "./nodes.module.css";
import { placeInWords } from "./view";

interface Props {
  node: Node;
  index: number;
  measure: (row: HTMLElement | null) => void;
}

export function NodeRow({ node, index, measure }: Props) {
  const pool = node.pool && `pool ${node.pool}`;
  return (
    <li ref={measure} data-index={index} className={classes.node} data-state={node.state}>
      <div className={classes.who}>
        <h2 className={classes.name}>
          <Link to="/nodes/$name" params={{ name: node.name }}>
            {node.name}
          </Link>
        </h2>
        <NodeStateBadge state={node.state} />
        <p className={classes.where}>
          {[placeInWords(node), pool, node.engine, node.address].filter(Boolean).join(" · ")}
          {node.state === "lost" && (
            <>
              {" "}
              · last seen <RelativeTime at={node.seen_at} />
            </>
          )}
        </p>
      </div>
      <div className={classes.gpus}>
        <div className={classes.cells}>
          {node.devices.map((device) => (
            <GpuCell key={device.id} device={device} />
          ))}
        </div>
        <p className={classes.caption}>{gpusInWords(node)}</p>
      </div>
      <dl className={classes.meters}>
        <Meter
          name="CPU"
          share={node.cpu_milli_used / node.cpu_milli}
          words={`${milliInWords(node.cpu_milli_used)} of ${milliInWords(node.cpu_milli)}`}
        />
        <Meter
          name="Memory"
          share={node.memory_bytes_used / node.memory_bytes}
          words={`${bytesInWords(node.memory_bytes_used)} of ${bytesInWords(node.memory_bytes)}`}
        />
      </dl>
    </li>
  );
}

export function Meter({ name, share, words }: { name: string; share: number; words: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <span className={classes.meter} aria-hidden="true">
          <span style={{ width: `${Math.min(100, Math.round(share * 100))}%` }} />
        </span>
        {words}
      </dd>
    </div>
  );
}

/** 8 × H100 virtual · 5.5 in use */
export function gpusInWords({ devices }: Pick<Node, "devices">): string {
  if (devices.length === 0) return "No GPUs";
  const groups = new Map<string, number>();
  for (const device of devices) {
    const words = [device.type, device.mig_profile, device.virtual && "virtual"];
    const name = words.filter(Boolean).join(" ");
    groups.set(name, (groups.get(name) ?? 0) + 1);
  }
  const heldMilli = devices.reduce((sum, device) => sum + device.gpu_milli_used, 0);
  const unhealthy = devices.filter((device) => !device.healthy).length;
  return [
    ...[...groups].map(([name, count]) => `${count} × ${name}`),
    `${milliInWords(heldMilli)} held`,
    ...(unhealthy > 0 ? [counted(unhealthy, "unhealthy GPU")] : []),
  ].join(" · ");
}
