/** The memory slices of one GPU, with what stands on them. Where they are narrow, names are turned. */
import type { Device } from "../api/types";
import { type Run, runsFree } from "./layout";
import classes from "./slices.module.css";

type Slice = NonNullable<Device["slices"]>[number];

interface Props {
  label: string;
  total: number;
  slices: readonly Slice[];
}

export function SliceBar({ label, total, slices: all }: Props) {
  const slices = shown(all);
  return (
    <div className={classes.frame}>
      <ol
        className={classes.bar}
        style={{ gridTemplateColumns: `repeat(${total}, minmax(0, 1fr))` }}
        aria-label={label}
      >
        {slices.map((slice) => (
          <li
            key={`${slice.start} ${slice.profile}`}
            className={classes.slice}
            data-state={slice.state}
            data-size={slice.size}
            style={spanOf(slice)}
            title={sliceInWords(slice)}
          >
            <span>{slice.profile}</span>
            <span>{whose(slice)}</span>
          </li>
        ))}
        {runsFree(total, slices).map((run) => (
          <li
            key={`free ${run.start}`}
            className={classes.slice}
            data-state="free"
            data-size={run.size}
            style={spanOf(run)}
            title={`${run.size === 1 ? "One slice" : `${run.size} slices`} free`}
          >
            <span>free</span>
          </li>
        ))}
      </ol>
    </div>
  );
}

export function spanOf({ start, size }: Run) {
  return { gridColumn: `${start + 1} / span ${size}` };
}

/** Without idle ones that are about to make room for what is held there. */
export function shown(slices: readonly Slice[]): Slice[] {
  const found: Slice[] = [];
  let end = 0;
  for (const slice of slices) {
    if (slice.start < end) continue;
    found.push(slice);
    end = slice.start + slice.size;
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
