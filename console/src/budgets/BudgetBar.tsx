/** How much of a budget is spent, with a mark at each threshold. */
import type { Budget } from "../api/types";
import classes from "./budgets.module.css";
import { amountInWords } from "./words";

export function BudgetBar({ budget }: { budget: Budget }) {
  const { name, percent, state, thresholds, spent, amount, currency } = budget;
  const said =
    spent === null
      ? "What it counts has no price"
      : `${amountInWords(spent, currency)} of ${amountInWords(amount, currency)}, ${percent.toLocaleString("en")} %`;
  return (
    // biome-ignore lint/a11y/useSemanticElements: a meter cannot hold the marks.
    <span
      className={classes.bar}
      role="meter"
      aria-label={`Spent of ${name}`}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.min(100, percent)}
      aria-valuetext={said}
      title={said}
    >
      <span data-state={state} style={{ width: `${Math.min(100, percent)}%` }} />
      {thresholds
        .filter((each) => each < 100)
        .map((each) => (
          <i key={each} style={{ left: `${each}%` }} />
        ))}
    </span>
  );
}
