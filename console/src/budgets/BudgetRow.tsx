/** One budget: whose, how much is spent, when it runs out, and what happens then. */
import access from "../access/access.module.css";
import type { Budget } from "../api/types";
import { useClock } from "../time/clock";
import { RelativeTime } from "../time/Times";
import { momentInWords } from "../time/words";
import { useTimeZone } from "../time/zone";
import { BudgetBar } from "./BudgetBar";
import { BudgetState } from "./BudgetState";
import classes from "./budgets.module.css";
import { amountInWords, listed, outlookInWords, periodInWords, whenSpent } from "./words";

interface Props {
  budget: Budget;
  editable: boolean;
  changing: boolean;
  onChange: () => void;
  onDelete: () => void;
}

const MINUTE_MS = 60_000;

export function BudgetRow({ budget, editable, changing, onChange, onDelete }: Props) {
  const { name, whose, amount, currency, period, gpu_types, when_spent, spent, note } = budget;
  const zone = useTimeZone();
  const now = useClock((ms) => ms - (ms % MINUTE_MS));
  const id = `budget-${name}`;
  return (
    <li className={classes.row} aria-labelledby={id}>
      <div className={classes.what}>
        <h2 id={id}>{name}</h2>
        <p>
          {amountInWords(amount, currency)} {periodInWords(period)}, {whose}
          {gpu_types.length > 0 && `, ${listed(gpu_types)} alone`}
        </p>
        {note && <p className={classes.quiet}>{note}</p>}
      </div>
      <div className={classes.stands}>
        <p className={classes.figures}>
          <BudgetState budget={budget} />
          <span>
            {spent === null
              ? "unknown"
              : `${amountInWords(spent, currency).replace(currency ? "" : / GPU-hours?$/, "")} spent`}
            <b>{spent !== null && `${budget.percent.toLocaleString("en")} %`}</b>
          </span>
        </p>
        <BudgetBar budget={budget} />
        <p className={classes.quiet}>
          {outlookInWords(budget, (at) => momentInWords(at, zone, now))}
        </p>
      </div>
      <div className={classes.then}>
        <p>{whenSpent[when_spent]}</p>
        <p className={classes.quiet}>
          set by {budget.updated_by}, <RelativeTime at={budget.updated_at} />
        </p>
      </div>
      {editable && (
        <div className={classes.actions}>
          <button
            type="button"
            className={access.textButton}
            aria-label={`Change ${name}`}
            aria-expanded={changing}
            onClick={onChange}
          >
            Change
          </button>
          <button
            type="button"
            className={access.textButton}
            data-ends
            aria-label={`Delete ${name}`}
            onClick={onDelete}
          >
            Delete
          </button>
        </div>
      )}
    </li>
  );
}
