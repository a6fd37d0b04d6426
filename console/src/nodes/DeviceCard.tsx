/** One GPU of a node, large: its shares, its health, and who is on it. */
import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { Device } from "../api/types";
import { bytesInWords } from "../quantity/words";
import { useIdentity } from "../session/queries";
import { Duration } from "../time/Times";
import { GpuCell, heldPercent } from "./GpuCell";
import { LayoutEditor } from "./LayoutEditor";
import classes from "./node.module.css";
import { Slices } from "./Slices";

export function DeviceCard({ device, node }: { device: Device; node: string }) {
  const holders = device.holders ?? [];
  const told = holders.reduce((sum, holder) => sum + holder.gpu_milli, 0);
  return (
    <li className={classes.device} data-unhealthy={!device.healthy || undefined}>
      <header>
        <GpuCell device={device} silent />
        <h3>
          GPU {device.index}{" "}
          <span>
            {device.type}
            {device.mig_profile ? ` ${device.mig_profile}` : ""}
            {device.virtual ? " · virtual" : ""}
          </span>
        </h3>
        {!device.healthy && <strong>Unhealthy</strong>}
      </header>
      {device.fault && <p className={classes.fault}>{device.fault}</p>}
      {device.mig && <Slices device={device} />}
      {device.mig && <LayoutButton device={device} node={node} />}
      <dl>
        <dt>Held</dt>
        <dd>{heldPercent(device)} %</dd>
        <dt>Really used</dt>
        <dd>
          {device.busy_milli == null ? "Not measured" : `${Math.round(device.busy_milli / 10)} %`}
        </dd>
        <dt>Memory held</dt>
        <dd>
          {bytesInWords(device.memory_bytes_used)} of {bytesInWords(device.memory_bytes)}
        </dd>
        {device.temperature_celsius != null && (
          <>
            <dt>Temperature</dt>
            <dd>{device.temperature_celsius} °C</dd>
          </>
        )}
        {device.power_watts != null && (
          <>
            <dt>Power</dt>
            <dd>{Math.round(device.power_watts)} W</dd>
          </>
        )}
      </dl>
      <ul className={classes.holders}>
        {holders.map((holder) => (
          <li key={`${holder.workload_id} ${holder.rank}`}>
            <Link to="/workloads/$id" params={{ id: holder.workload_id }}>
              {holder.name}
            </Link>
            <span>
              {holder.owner} · {holder.project} · <Duration start={holder.since} />
            </span>
          </li>
        ))}
        {device.gpu_milli_used > told && <li className={classes.others}>Work of others</li>}
        {device.gpu_milli_used === 0 && <li className={classes.others}>Free</li>}
      </ul>
    </li>
  );
}

function LayoutButton({ device, node }: { device: Device; node: string }) {
  const [open, setOpen] = useState(false);
  const { administrator } = useIdentity();
  if (!administrator) return null;
  return (
    <>
      <Button
        variant="default"
        size="xs"
        onClick={() => setOpen(true)}
        aria-label={`Layout of GPU ${device.index}…`}
      >
        Layout…
      </Button>
      {open && <LayoutEditor node={node} gpu={device.index} onClose={() => setOpen(false)} />}
    </>
  );
}
