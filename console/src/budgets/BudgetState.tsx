/** A budget's state as a shape and a word. */
import type { Budget } from "../api/types";
import { CheckIcon, WarningIcon } from "../frame/icons";
import classes from "./budgets.module.css";

export function BudgetState({ budget }: { budget: Budget }) {
  const { state, spent, when_spent, percent, thresholds } = budget;
  if (spent === null) {
    return (
      <span className={classes.state} data-state="near">
        <WarningIcon /> No price
      </span>
    );
  }
  const words = {
    good: "In budget",
    near: `Past ${Math.max(...thresholds.filter((each) => each <= percent))} %`,
    spent: when_spent === "warn" ? "Spent" : "Spent, holds back",
  };
  return (
    <span className={classes.state} data-state={state}>
      {state === "good" ? <CheckIcon /> : <WarningIcon />} {words[state]}
    </span>
  );
}
