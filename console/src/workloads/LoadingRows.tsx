/** The list before its first answer: the same lines at the same height, so nothing jumps. */
import classes from "./workloads.module.css";

const widths = [34, 52, 41, 60, 38, 47, 56, 35, 44, 50];

export function LoadingRows() {
  return (
    <div role="status" aria-label="Loading workloads">
      {widths.map((width) => (
        <div key={width} className={classes.loadingRow}>
          <span style={{ width: `${width}%` }} />
        </div>
      ))}
    </div>
  );
}
