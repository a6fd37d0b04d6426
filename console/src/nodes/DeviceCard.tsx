/** One GPU of a node, large: its shares, its health, and who is on it. */
import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { Device } from "../api/types";
import { bytesInWords } from "../quantity/words";
import { useMay } from "../session/queries";
import { Duration } from "../time/Times";
import { GpuCell, heldPercent } from "./GpuCell";
import { LayoutEditor } from "./LayoutEditor";
import { ModeDialog } from "./ModeDialog";
import classes from "./node.module.css";
import { roomInWords } from "./room";
import { Slices } from "./Slices";

export function DeviceCard({ device, node }: { device: Device; node: string }) {
  const holders = device.holders ?? [];
  const told = holders.reduce((sum, holder) => sum + holder.gpu_milli, 0);
  // What is measured of a GPU that is cut stands beside its slices.
  const besideSlices = (value: number | null | undefined) => device.mig && value != null;
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
      <p className={classes.room}>{roomInWords(device)}</p>
      {device.mig_board && <MigButtons device={device} node={node} />}
      <dl className={classes.figures}>
        <dt>Held</dt>
        <dd>{heldPercent(device)} %</dd>
        {!besideSlices(device.busy_milli) && (
          <>
            <dt>Really used</dt>
            <dd>
              {device.busy_milli == null
                ? "Not measured"
                : `${Math.round(device.busy_milli / 10)} %`}
            </dd>
          </>
        )}
        <dt>Memory held</dt>
        <dd>
          {bytesInWords(device.memory_bytes_used)} of {bytesInWords(device.memory_bytes)}
        </dd>
        {device.temperature_celsius != null && !besideSlices(device.temperature_celsius) && (
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

function MigButtons({ device, node }: { device: Device; node: string }) {
  const [open, setOpen] = useState<"layout" | "mode" | null>(null);
  const may = useMay();
  if (!may("layout:set")) return null;
  const close = () => setOpen(null);
  const turn = `Turn MIG ${device.mig ? "off" : "on"}`;
  return (
    <div className={classes.deviceButtons}>
      {device.mig && (
        <Button
          variant="default"
          size="xs"
          onClick={() => setOpen("layout")}
          aria-label={`Layout of GPU ${device.index}…`}
        >
          Layout…
        </Button>
      )}
      <Button
        variant="default"
        size="xs"
        onClick={() => setOpen("mode")}
        aria-label={`${turn} on GPU ${device.index}…`}
      >
        {turn}…
      </Button>
      {open === "layout" && <LayoutEditor node={node} gpu={device.index} onClose={close} />}
      {open === "mode" && <ModeDialog device={device} node={node} onClose={close} />}
    </div>
  );
}
