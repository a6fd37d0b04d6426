/** A curve as small as a word, without axes: for tables. Plain SVG. */
import classes from "./charts.module.css";

interface Props {
  values: readonly (number | null)[];
  /** What it says, with numbers: "GPU use in the last hour, now 83 %". */
  label: string;
  /** The top of it; the highest value if none. */
  max?: number;
  width?: number;
  height?: number;
  /** A token of the palette. */
  tone?: string;
}

const INSET = 1;

export function Sparkline(props: Props) {
  const { values, label, max, width = 96, height = 24, tone = "--ink-3" } = props;
  const most = max ?? values.reduce<number>((top, each) => Math.max(top, each ?? 0), 0);
  const top = most > 0 ? most : 1;
  const x = (at: number) =>
    values.length < 2 ? width / 2 : INSET + (at / (values.length - 1)) * (width - 2 * INSET);
  const y = (value: number) => height - INSET - (value / top) * (height - 2 * INSET);
  return (
    <svg
      role="img"
      aria-label={label}
      className={classes.spark}
      width={width}
      height={height}
      viewBox={`0 0 ${width} ${height}`}
      style={{ color: `var(${tone})` }}
    >
      <title>{label}</title>
      {runsOf(values).map((run) => {
        const line = run.map(({ at, value }) => `${x(at).toFixed(1)} ${y(value).toFixed(1)}`);
        const first = run[0]?.at ?? 0;
        const last = run.at(-1)?.at ?? 0;
        return (
          <g key={first}>
            <path
              className={classes.sparkArea}
              d={`M${x(first).toFixed(1)} ${height}L${line.join("L")}L${x(last).toFixed(1)} ${height}Z`}
            />
            <path
              className={classes.sparkLine}
              d={`M${line.join("L")}${run.length < 2 ? "h0" : ""}`}
            />
          </g>
        );
      })}
    </svg>
  );
}

/** What was measured without a hole. */
function runsOf(values: readonly (number | null)[]): { at: number; value: number }[][] {
  const runs: { at: number; value: number }[][] = [];
  let open: { at: number; value: number }[] | null = null;
  values.forEach((value, at) => {
    if (value === null) {
      open = null;
      return;
    }
    if (!open) {
      open = [];
      runs.push(open);
    }
    open.push({ at, value });
  });
  return runs;
}
