/** A field of GPU cells behind the sign-in card: some full, some partly, most free. */
import classes from "./session.module.css";

const COLUMNS = 40;
const ROWS = 24;
const SIZE = 28;
const GAP = 8;
const PITCH = SIZE + GAP;

/** All that is held as one path, so that a thousand cells are two shapes. */
const held = Array.from({ length: COLUMNS * ROWS }, (_, at) => {
  const height = Math.round(SIZE * fillOf(at));
  const x = (at % COLUMNS) * PITCH + GAP / 2;
  const y = Math.floor(at / COLUMNS) * PITCH + GAP / 2 + SIZE - height;
  return height > 0 ? `M${x} ${y}h${SIZE}v${height}h-${SIZE}z` : "";
}).join("");

export function Cells() {
  return (
    <svg
      className={classes.cells}
      aria-hidden="true"
      viewBox={`0 0 ${COLUMNS * PITCH} ${ROWS * PITCH}`}
      preserveAspectRatio="xMidYMid slice"
    >
      <defs>
        <pattern id="cell" width={PITCH} height={PITCH} patternUnits="userSpaceOnUse">
          <rect
            className={classes.cell}
            x={GAP / 2}
            y={GAP / 2}
            width={SIZE}
            height={SIZE}
            rx="4"
          />
        </pattern>
      </defs>
      <path className={classes.held} d={held} />
      <rect width="100%" height="100%" fill="url(#cell)" />
    </svg>
  );
}

/** The same at every visit: a small hash of the place. */
function fillOf(at: number): number {
  const hash = Math.abs(Math.sin((at + 1) * 12.9898) * 43758.5453) % 1;
  if (hash > 0.9) return 1;
  if (hash > 0.82) return 0.5;
  return hash > 0.76 ? 0.25 : 0;
}
