/** How sensitive data is: a word, with bars that fill as it gets more. */
import type { Classification } from "../api/types";
import styles from "./data.module.css";
import { classes } from "./words";

const order = Object.keys(classes) as Classification[];

export function ClassBadge({ value }: { value: Classification | string }) {
  const known = classes[value as Classification];
  const rank = order.indexOf(value as Classification);
  return (
    <span className={styles.class} data-class={value} title={known?.about}>
      <svg aria-hidden="true" width="14" height="12" viewBox="0 0 14 12">
        {order.map((each, at) => (
          <rect
            key={each}
            x={at * 3.5}
            y={8 - at * 2.5}
            width="2.5"
            height={3 + at * 2.5}
            rx="0.5"
            opacity={at <= rank ? 1 : 0.25}
            fill="currentColor"
          />
        ))}
      </svg>
      {known?.label ?? value}
    </span>
  );
}
