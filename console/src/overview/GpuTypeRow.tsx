/** All GPUs of one type in a line: one bar, cut at each device, and its numbers. */
import type { CSSProperties } from "react";
import type { Overview } from "../api/types";
import { counted } from "../quantity/words";
import { Ticking } from "./Figure";
import { NodesLink } from "./links";
import classes from "./overview.module.css";
import { exactGpus, freeMilli } from "./sums";

/** More devices than this leave no room for cuts between them. */
const CUTS = 64;

export function GpuTypeRow({ gpus }: { gpus: Overview["gpus"][number] }) {
  const { type, virtual, devices, unhealthy, held_milli, busy_milli, idle_devices } = gpus;
  const free = freeMilli(gpus);
  const share = (milli: number) => `${devices > 0 ? Math.min(100, milli / devices / 10) : 0}%`;
  const idleMilli = Math.min(idle_devices * 1000, held_milli);
  return (
    <tr>
      <th scope="row">
        <NodesLink plain to={{ type }}>
          {type}
        </NodesLink>
        {virtual && (
          <span className={classes.virtual} title="No hardware is there">
            virtual
          </span>
        )}
      </th>
      <td data-bar>
        <span
          className={classes.typeBar}
          role="img"
          aria-label={barInWords(gpus)}
          title={barInWords(gpus)}
          style={{ "--cut": `${100 / devices}%` } as CSSProperties}
          data-cut={(devices > 1 && devices <= CUTS) || undefined}
        >
          <span data-part="held" style={{ width: share(held_milli) }} />
          <span
            data-part="idle"
            style={{ width: share(idleMilli), left: share(held_milli - idleMilli) }}
          />
          <span data-part="busy" style={{ width: share(Math.min(busy_milli ?? 0, held_milli)) }} />
          <span data-part="unhealthy" style={{ width: share(unhealthy * 1000) }} />
        </span>
      </td>
      <td data-all>
        <NodesLink plain to={{ type }}>
          {devices.toLocaleString("en")}
        </NodesLink>
      </td>
      <td title={`${exactGpus(held_milli)} of ${counted(devices, "GPU")}`}>
        <NodesLink plain to={{ type }}>
          <Ticking text={aligned(held_milli)} />
        </NodesLink>
      </td>
      <td title={busy_milli === null ? "Not measured" : `${exactGpus(busy_milli)} GPUs`}>
        <NodesLink plain to={{ type }}>
          {busy_milli === null ? "–" : <Ticking text={aligned(busy_milli)} />}
        </NodesLink>
      </td>
      <td title={`${counted(idle_devices, "held device")} doing next to nothing`}>
        <NodesLink plain to={{ type, show: "idle" }}>
          <Ticking text={idle_devices.toLocaleString("en")} />
        </NodesLink>
      </td>
      <td title={`${exactGpus(free)} GPUs`}>
        <NodesLink plain to={{ type, show: "free" }}>
          <Ticking text={aligned(free)} />
        </NodesLink>
      </td>
    </tr>
  );
}

/** One decimal always, so that the points of a column stand under one another. */
function aligned(milli: number): string {
  return (milli / 1000).toLocaleString("en", {
    minimumFractionDigits: 1,
    maximumFractionDigits: 1,
  });
}

function barInWords(gpus: Overview["gpus"][number]): string {
  const { type, devices, unhealthy, held_milli, busy_milli, idle_devices } = gpus;
  return [
    `${type}: ${exactGpus(held_milli)} of ${devices} held`,
    ...(busy_milli === null ? [] : [`${exactGpus(busy_milli)} really used`]),
    ...(idle_devices > 0 ? [`${idle_devices} held and idle`] : []),
    `${exactGpus(freeMilli(gpus))} free`,
    ...(unhealthy > 0 ? [`${unhealthy} unhealthy`] : []),
  ].join(", ");
}
