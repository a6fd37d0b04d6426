/** What would become of the draft: when and where it starts, what it costs, and what would help. */
import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { BudgetOutlook, DryRun, OfferedChange } from "../api/types";
import { amountInWords } from "../budgets/words";
import { Holders } from "../foresight/Holders";
import { NodeBars } from "../foresight/NodeBars";
import { formButtonOf, pathOf, placeInWords, quotaInWords } from "../foresight/words";
import { CheckIcon, ClockIcon, WarningIcon } from "../frame/icons";
import { anyProject } from "../projects/scope";
import { counted } from "../quantity/words";
import { Moment } from "../time/Times";
import { useForm } from "./form";
import type { Plain } from "./specText";
import classes from "./submit.module.css";

const icons = { starts: CheckIcon, waits: ClockIcon, impossible: WarningIcon };

export function DryRunBox({ found, stale }: { found: DryRun; stale: boolean }) {
  const Icon = icons[found.verdict];
  const offers = found.changes.filter(({ how }) => how !== "quota");
  return (
    <section
      className={classes.fit}
      aria-label="If you submit it now"
      aria-busy={stale}
      data-stale={stale || undefined}
    >
      <h3 className={classes.fitTitle}>If you submit it now</h3>
      <div role="status">
        <ul>
          <li data-short={found.verdict !== "starts" || undefined}>
            <Icon />
            {found.headline}
          </li>
        </ul>
      </div>
      {found.remedy && offers.length === 0 && <p className={classes.remedy}>{found.remedy}</p>}
      <dl className={classes.foretold}>
        {found.verdict === "waits" && (
          <Row name="Starts">
            <Starts found={found} />
          </Row>
        )}
        {found.position && found.verdict === "waits" && (
          <Row name="Place in the queue">{placeInWords(found.position)}</Row>
        )}
        {found.cost && <Row name="Costs">{costInWords(found.cost)}</Row>}
        {found.giving_way.length > 0 && (
          <Row name="Gives way">
            {found.giving_way.map(({ workload }) => workload?.name ?? "work of others").join(", ")}
          </Row>
        )}
        {found.displaces > 0 && (
          <Row name="Others">
            {counted(found.displaces, "workload")} would not start now because of it
          </Row>
        )}
        {found.delays > 0 && (
          <Row name="Later">
            {counted(found.delays, "workload")} with nodes kept would start later
          </Row>
        )}
        {found.quotas.map((each) => (
          <Row key={`${each.level} ${each.name} ${each.gpu_type}`} name="Quota">
            {quotaInWords(each)}
          </Row>
        ))}
        {found.budgets.map((each) => (
          <Row key={each.name} name="Budget">
            <BudgetLine budget={each} />
          </Row>
        ))}
      </dl>
      {found.verdict !== "starts" && found.groups.length > 0 && <NodeBars groups={found.groups} />}
      {found.verdict === "waits" && found.holders.length > 0 && (
        <Holders holders={found.holders} inAll={found.holders_in_all} />
      )}
      {offers.length > 0 && <Offers offers={offers} />}
    </section>
  );
}

function Offers({ offers }: { offers: readonly OfferedChange[] }) {
  const form = useForm();
  return (
    <div className={classes.offers}>
      <p className={classes.hint}>It would start now with one of these:</p>
      <div>
        {offers.map((each) => (
          <Button
            key={each.axis}
            variant="default"
            size="xs"
            title={each.sentence}
            onClick={() =>
              form.setAll(
                each.fields.map(({ field, value }) => [
                  pathOf(field),
                  value == null ? undefined : (value as Plain),
                ]),
              )
            }
          >
            {formButtonOf(each)}
          </Button>
        ))}
      </div>
    </div>
  );
}

function Starts({ found: { eta } }: { found: DryRun }) {
  if (!eta) return "nobody can say yet";
  return (
    <>
      between <Moment at={eta.early} /> and <Moment at={eta.late} />
    </>
  );
}

function BudgetLine({ budget }: { budget: BudgetOutlook }) {
  const { name, whose, left, percent, per_hour, currency, runs_out_at, blocks } = budget;
  const over = Number(left) < 0;
  return (
    <span className={classes.budget} data-blocks={blocks || undefined}>
      {blocks && <WarningIcon />}
      <span>
        <Link to="/budgets" search={anyProject}>
          {name}
        </Link>{" "}
        of {whose}:{" "}
        {blocks
          ? "spent, so this waits until it is whole again."
          : `${amountInWords(over ? 0 : left, currency)} left, ${percent} % spent; this adds ${amountInWords(per_hour, currency)} an hour`}
        {!blocks && runs_out_at && (
          <>
            , and it is spent <Moment at={runs_out_at} />
          </>
        )}
      </span>
    </span>
  );
}

function costInWords({ per_hour, likely, most }: NonNullable<DryRun["cost"]>): string {
  const parts = [`${per_hour.amount} ${per_hour.currency} an hour`];
  if (likely) parts.push(`likely ${likely.amount} ${likely.currency}`);
  if (most) parts.push(`${most.amount} ${most.currency} at most`);
  return parts.join(", ");
}

function Row({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}
