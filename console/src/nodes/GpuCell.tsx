/** One GPU, drawn the same everywhere: fill = share held, inner bar = really used, corner =
 * virtual, outline = unhealthy. */
import type { Device } from "../api/types";
import { bytesInWords, counted } from "../quantity/words";
import classes from "./nodes.module.css";
import { roomInWords } from "./room";
import { spanOf } from "./SliceBar";

interface Props {
  device: Device;
  /** Whether a label around it says its words already. */
  silent?: boolean;
}

export function GpuCell({ device, silent = false }: Props) {
  const words = silent ? undefined : deviceInWords(device).join(", ");
  return (
    <span
      className={classes.cell}
      {...(silent ? { "aria-hidden": true } : { role: "img", "aria-label": words })}
      data-gpu={device.id}
      data-virtual={device.virtual || undefined}
      data-unhealthy={!device.healthy || undefined}
      data-mig={device.mig_profile ? true : undefined}
      data-cut={device.mig || undefined}
    >
      {device.mig ? (
        <CutFill device={device} />
      ) : (
        <span className={classes.fill} style={{ height: `${heldPercent(device)}%` }} />
      )}
      {device.busy_milli != null && (
        <span className={classes.busy} style={{ height: `${percent(device.busy_milli)}%` }} />
      )}
    </span>
  );
}

/** Its memory slices as columns; those that somebody has are filled. */
function CutFill({ device }: { device: Device }) {
  const total = device.memory_slices ?? 0;
  return (
    <span className={classes.cut} style={{ gridTemplateColumns: `repeat(${total}, 1fr)` }}>
      {(device.slices ?? [])
        .filter(({ state }) => state !== "idle")
        .map((slice) => (
          <span key={slice.start} style={spanOf(slice)} />
        ))}
    </span>
  );
}

export function heldPercent({ gpu_milli_used }: Pick<Device, "gpu_milli_used">): number {
  return percent(gpu_milli_used);
}

function percent(milli: number): number {
  return Math.min(100, Math.max(0, Math.round(milli / 10)));
}

/** One fact a line, the name first. */
export function deviceInWords(device: Device): string[] {
  const holders = device.holders ?? [];
  return [
    `GPU ${device.index}: ${device.model}${device.mig_profile ? ` ${device.mig_profile}` : ""}`,
    ...(device.virtual ? ["Virtual: no hardware is there"] : []),
    ...(device.healthy ? [] : [device.fault || "Unhealthy: takes no work"]),
    `${heldPercent(device)} % held, ${bytesInWords(device.memory_bytes_used)} of ${bytesInWords(device.memory_bytes)}`,
    usedInWords(device),
    ...(device.temperature_celsius == null ? [] : [`${device.temperature_celsius} °C`]),
    ...(device.power_watts == null ? [] : [`${Math.round(device.power_watts)} W`]),
    ...(device.healthy ? [roomInWords(device)] : []),
    ...holders.slice(0, 4).map(({ name, owner }) => `${name}, ${owner}`),
    ...(holders.length > 4 ? [`and ${counted(holders.length - 4, "more", "more")}`] : []),
    ...(holders.length === 0 && device.gpu_milli_used > 0 ? ["Held by work of others"] : []),
  ];
}

export function usedInWords({ busy_milli }: Pick<Device, "busy_milli">): string {
  return busy_milli == null ? "Use not measured" : `${percent(busy_milli)} % really used`;
}
