/** One share of one GPU type as a bar: held, borrowed and waited for, with marks where the
 * guarantee and the limit are. Its numbers stand in a card while it is pointed at or has the
 * focus. */
import { useState } from "react";
import { barOf, gpusInLines, type ShareGpus } from "./shares";
import classes from "./shares.module.css";

interface Props {
  gpus: ShareGpus;
  /** What the whole bar stands for, in thousandths of a GPU. */
  whole: number;
  name: string;
}

export function ShareBar({ gpus, whole, name }: Props) {
  const bar = barOf(gpus, whole);
  const lines = gpusInLines(gpus);
  const [shown, setShown] = useState(false);
  return (
    <span
      className={classes.bar}
      role="img"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: its numbers are for the keyboard, too.
      tabIndex={0}
      onPointerEnter={() => setShown(true)}
      onPointerLeave={() => setShown(false)}
      onFocus={() => setShown(true)}
      onBlur={() => setShown(false)}
      aria-label={`${name}: ${lines.join(", ")}`}
    >
      <span className={classes.track} style={{ width: `${bar.limit ?? 100}%` }} />
      <span data-part="own" style={{ left: 0, width: `${bar.own}%` }} />
      <span data-part="borrowed" style={{ left: `${bar.own}%`, width: `${bar.borrowed}%` }} />
      <span
        data-part="waiting"
        style={{ left: `${bar.own + bar.borrowed}%`, width: `${bar.waiting}%` }}
      />
      {bar.guarantee !== null && (
        <span data-part="guarantee" style={{ left: `${bar.guarantee}%` }} />
      )}
      {bar.limit !== null && <span data-part="limit" style={{ left: `${bar.limit}%` }} />}
      {shown && (
        <span className={classes.card} aria-hidden="true">
          <strong>{name}</strong>
          {lines.map((line) => (
            <span key={line}>{line}</span>
          ))}
        </span>
      )}
    </span>
  );
}
