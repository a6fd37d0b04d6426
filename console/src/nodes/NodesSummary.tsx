/** GPUs in use by type, over all nodes; virtual ones are counted apart. */
import type { Node } from "../api/types";
import { milliInWords } from "../quantity/words";
import classes from "./nodes.module.css";

export interface TypeSummary {
  type: string;
  virtual: boolean;
  devices: number;
  heldMilli: number;
}

export function NodesSummary({ nodes }: { nodes: readonly Node[] }) {
  const types = typesSummed(nodes);
  if (types.length === 0) return null;
  return (
    <dl className={classes.summary}>
      {types.map(({ type, virtual, devices, heldMilli }) => (
        <div key={`${type} ${virtual}`}>
          <dt>
            {type} {virtual && <span className={classes.virtual}>virtual</span>}
          </dt>
          <dd>
            <span className={classes.figure}>{milliInWords(heldMilli)}</span> of{" "}
            {devices.toLocaleString("en")} held
          </dd>
        </div>
      ))}
    </dl>
  );
}

export function typesSummed(nodes: readonly Node[]): TypeSummary[] {
  const found = new Map<string, TypeSummary>();
  for (const { devices } of nodes) {
    for (const device of devices) {
      const type = device.mig_profile ? `${device.type} ${device.mig_profile}` : device.type;
      const key = `${device.virtual ? 1 : 0} ${type}`;
      const held = found.get(key) ?? { type, virtual: device.virtual, devices: 0, heldMilli: 0 };
      found.set(key, {
        ...held,
        devices: held.devices + 1,
        heldMilli: held.heldMilli + device.gpu_milli_used,
      });
    }
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, summary]) => summary);
}
