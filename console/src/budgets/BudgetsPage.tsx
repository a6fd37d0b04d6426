/** All budgets that one may see: how much is spent, when each runs out, and what happens then. */
import { Button } from "@mantine/core";
import { Fragment } from "react";
import { Ask } from "../access/Ask";
import access from "../access/access.module.css";
import type { Budget } from "../api/types";
import { EmptyState } from "../frame/EmptyState";
import { PageState } from "../frame/PageState";
import { useGovernanceSearch } from "../governance/search";
import { counted } from "../quantity/words";
import { useMaySetBudget, useMaySomeBudget } from "./allowed";
import { BudgetForm } from "./BudgetForm";
import { BudgetRow } from "./BudgetRow";
import classes from "./budgets.module.css";
import { useBudgetRemove, useBudgets } from "./queries";

const order = { spent: 0, near: 1, good: 2 };

export default function BudgetsPage() {
  const budgets = useBudgets();
  const maySome = useMaySomeBudget();
  const maySet = useMaySetBudget();
  const [{ form, name }, change] = useGovernanceSearch();
  const close = () => change({ form: "", name: "" });
  const { data } = budgets;
  if (!data) return <PageState query={budgets} what="budgets" />;
  const isChanged = (each: Budget) => form === "change" && name === each.name;
  const chosen = data.find((each) => each.name === name);
  const held = data.filter(({ state, when_spent }) => state === "spent" && when_spent !== "warn");
  const sorted = [...data].sort(
    (one, other) => order[one.state] - order[other.state] || other.percent - one.percent,
  );
  return (
    <>
      {(data.length > 0 || form === "new") && (
        <div className={access.bar}>
          <span className={access.count}>
            {counted(data.length, "budget")}
            {held.length > 0 && `, ${held.length} of them spent and holding work back`}
          </span>
          {maySome && form !== "new" && (
            <span className={access.actions}>
              <Button onClick={() => change({ form: "new", name: "" })}>New budget</Button>
            </span>
          )}
        </div>
      )}
      {form === "new" && <BudgetForm key="new" onDone={close} />}
      {form === "delete" && chosen && <Delete budget={chosen} onClose={close} />}
      {data.length === 0 && form !== "new" && (
        <EmptyState
          title="No budgets"
          sentence={
            maySome
              ? "A budget says how much a team, a project or a person may spend in a month, and what happens when it is spent."
              : "Nothing limits what you spend. Where somebody sets a budget for you or your projects, it stands here."
          }
          {...(maySome && {
            example: "podium budget set nlp-gpus --team nlp --gpu-hours 500 --then block",
            action: <Button onClick={() => change({ form: "new" })}>New budget</Button>,
          })}
        />
      )}
      {sorted.length > 0 && (
        <ul className={classes.list} aria-label="Budgets">
          {sorted.map((budget) => (
            <Fragment key={budget.name}>
              <BudgetRow
                budget={budget}
                changing={isChanged(budget)}
                editable={maySet(budget.level, budget.target)}
                onChange={() =>
                  isChanged(budget) ? close() : change({ form: "change", name: budget.name })
                }
                onDelete={() => change({ form: "delete", name: budget.name })}
              />
              {isChanged(budget) && (
                <li>
                  <BudgetForm budget={budget} onDone={close} />
                </li>
              )}
            </Fragment>
          ))}
        </ul>
      )}
    </>
  );
}

function Delete({ budget, onClose }: { budget: Budget; onClose: () => void }) {
  const remove = useBudgetRemove(budget.name);
  return (
    <Ask
      title={`Delete budget ${budget.name}?`}
      does={`Delete ${budget.name}`}
      change={remove}
      onClose={onClose}
    >
      <p>
        {budget.state === "spent" && budget.when_spent !== "warn"
          ? `What it holds back of ${budget.whose} may start at once.`
          : `Nothing limits ${budget.whose} by this budget any more.`}{" "}
        What was spent stays in the reports.
      </p>
    </Ask>
  );
}
