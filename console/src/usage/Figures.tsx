/** The sums of all rows of a report. */
import type { UsageAmounts } from "../api/types";
import { listed } from "../budgets/words";
import classes from "./usage.module.css";
import { hoursInWords, moneyInWords } from "./words";

export function Figures({ total, currency }: { total: UsageAmounts; currency: string | null }) {
  const part = (hours: number) =>
    total.gpu_hours > 0 ? `${Math.round((hours / total.gpu_hours) * 100)} %` : "";
  const figures: [name: string, value: string, note: string, exact: string][] = [
    ["Allocated", hoursInWords(total.gpu_hours), "GPU-hours", `${total.gpu_hours} GPU-hours`],
    ["Used", part(total.used_gpu_hours), "of them", `${total.used_gpu_hours} GPU-hours`],
    ["Idle", part(total.idle_gpu_hours), "of them", `${total.idle_gpu_hours} GPU-hours`],
    [
      "Borrowed",
      part(total.borrowed_gpu_hours),
      "of them",
      `${total.borrowed_gpu_hours} GPU-hours`,
    ],
  ];
  if (currency && total.cost) {
    figures.push(["Cost", moneyInWords(total.cost.amount), currency, total.cost.amount]);
  }
  return (
    <>
      <dl className={classes.figures}>
        {figures.map(([name, value, note, exact]) => (
          <div key={name} title={exact}>
            <dt>{name}</dt>
            <dd>
              {value} <small>{note}</small>
            </dd>
          </div>
        ))}
      </dl>
      {total.unpriced.length > 0 && (
        <p className={classes.unpriced}>
          {listed(total.unpriced.map((each) => each.gpu_type))}{" "}
          {total.unpriced.length === 1 ? "has" : "have"} no price
          {currency ? ", and what they ran is not in the cost" : ", so nothing has a cost"}:{" "}
          <code>podium price set {total.unpriced[0]?.gpu_type} 2.40</code>
        </p>
      )}
    </>
  );
}
