/** One GPU, drawn the same everywhere: fill = share held, corner = virtual, outline = unhealthy. */
import { Tooltip } from "@mantine/core";
import type { Device } from "../api/types";
import { bytesInWords, counted } from "../quantity/words";
import classes from "./nodes.module.css";

export function GpuCell({ device }: { device: Device }) {
  const words = deviceInWords(device);
  return (
    <Tooltip label={words} multiline maw={280}>
      <span
        className={classes.cell}
        role="img"
        aria-label={words.replaceAll("\n", ", ")}
        data-virtual={device.virtual || undefined}
        data-unhealthy={!device.healthy || undefined}
        data-mig={device.mig_profile ? true : undefined}
      >
        <span className={classes.fill} style={{ height: `${heldPercent(device)}%` }} />
      </span>
    </Tooltip>
  );
}

export function heldPercent({ gpu_milli_used }: Pick<Device, "gpu_milli_used">): number {
  return Math.min(100, Math.max(0, Math.round(gpu_milli_used / 10)));
}

export function deviceInWords(device: Device): string {
  const holders = device.workloads?.length ?? 0;
  return [
    `GPU ${device.index}: ${device.model}${device.mig_profile ? ` ${device.mig_profile}` : ""}`,
    ...(device.virtual ? ["Virtual: no hardware is there"] : []),
    ...(device.healthy ? [] : ["Unhealthy: takes no work"]),
    `${heldPercent(device)} % in use, ${bytesInWords(device.memory_bytes_used)} of ${bytesInWords(device.memory_bytes)}`,
    ...(holders > 0 ? [`By ${counted(holders, "workload")} of yours`] : []),
  ].join("\n");
}
