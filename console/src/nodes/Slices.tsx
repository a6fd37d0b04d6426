/** A GPU in MIG mode as its slices: who is in each instance, what is free, what else would fit. */
import type { Device } from "../api/types";
import classes from "./slices.module.css";

type Slice = NonNullable<Device["slices"]>[number];

export function Slices({ device }: { device: Device }) {
  const total = device.memory_slices ?? 0;
  const slices = shown(device.slices ?? []);
  const room = (device.room ?? []).filter((each) => each.count > 0);
  const words = room.map(({ count, profile }) => `${count} × ${profile}`).join(", ");
  return (
    <div className={classes.slices}>
      <ol
        className={classes.bar}
        style={{ gridTemplateColumns: `repeat(${total}, minmax(0, 1fr))` }}
        aria-label={`MIG instances of GPU ${device.index}`}
      >
        {slices.map((slice) => (
          <li
            key={`${slice.start} ${slice.profile}`}
            className={classes.slice}
            data-state={slice.state}
            style={{ gridColumn: `${slice.start + 1} / span ${slice.size}` }}
            title={sliceInWords(slice)}
          >
            <span>{slice.profile}</span>
            <span>{whose(slice)}</span>
          </li>
        ))}
        {free(total, slices).map(({ start, size }) => (
          <li
            key={`free ${start}`}
            className={classes.slice}
            data-state="free"
            style={{ gridColumn: `${start + 1} / span ${size}` }}
          >
            <span>free</span>
          </li>
        ))}
      </ol>
      <p className={classes.room}>
        {device.pinned ? "Pinned. " : ""}
        {words ? `Still fits: ${words}` : "Nothing more fits"}
      </p>
      {device.drift_at && (
        <p className={classes.drift}>
          Changed outside of Podium at {new Date(device.drift_at).toLocaleString()}: {device.drift}
        </p>
      )}
    </div>
  );
}

/** Without idle ones that are about to make room for what is held there. */
function shown(slices: readonly Slice[]): Slice[] {
  const found: Slice[] = [];
  let end = 0;
  for (const slice of slices) {
    if (slice.start < end) continue;
    found.push(slice);
    end = slice.start + slice.size;
  }
  return found;
}

function free(total: number, slices: readonly Slice[]): { start: number; size: number }[] {
  const found = [];
  let at = 0;
  for (const { start, size } of [...slices, { start: total, size: 0 }]) {
    if (start > at) found.push({ start: at, size: start - at });
    at = start + size;
  }
  return found;
}

function whose({ state, holder }: Slice): string {
  if (state === "held") return holder ? holder.name : "others";
  return state === "busy" ? "not Podium's" : "idle";
}

function sliceInWords(slice: Slice): string {
  const owner = slice.holder ? `, ${slice.holder.owner}` : "";
  return `${slice.profile} at slice ${slice.start}: ${whose(slice)}${owner}`;
}
