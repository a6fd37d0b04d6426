/** The bills of one month, one for each cost centre, laid out to be printed. */
import { Button, NativeSelect } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { Statement, Statements } from "../api/types";
import { columnInWords } from "../charts/StackedBars";
import { EmptyState } from "../frame/EmptyState";
import { DownloadIcon } from "../frame/icons";
import { PageState } from "../frame/PageState";
import { searchText } from "../frame/search";
import { useTitle } from "../frame/title";
import { useGovernanceSearch } from "../governance/search";
import { useProject } from "../projects/scope";
import { useClock } from "../time/clock";
import { type By, dayAfter, dimensions, monthOf } from "./ask";
import { useStatements } from "./queries";
import classes from "./statements.module.css";
import { hoursInWords, moneyInWords, nameInWords } from "./words";

const MONTHS = 24;
const MONTH = /^20\d\d-(0[1-9]|1[0-2])$/;
const bys = ["cost_centre", "team", "project", "user"] as const;

export default function StatementsPage() {
  useTitle("Statements");
  const [search, change] = useGovernanceSearch();
  const project = useProject();
  const now = useClock((ms) => ms - (ms % 60_000));
  const month = search.month && MONTH.test(search.month) ? search.month : monthOf(now);
  const by = bys.find((each) => each === search.by) ?? "cost_centre";
  const found = useStatements(by, month, project);
  const months = Array.from({ length: MONTHS }, (_, at) => monthOf(now, -at));
  if (!months.includes(month)) months.push(month);
  const csv = `/api/v1/cost${searchText({ by, month, project, format: "csv" })}`;
  return (
    <div className={classes.page}>
      <p className={classes.back}>
        <Link to="/usage">Usage and cost</Link>
      </p>
      <div className={classes.bar}>
        <NativeSelect
          aria-label="Month"
          data={months.map((value) => ({
            value,
            label: columnInWords(`${value}-01`, "month", true),
          }))}
          value={month}
          onChange={(event) => change({ month: event.currentTarget.value })}
        />
        <NativeSelect
          aria-label="One for each"
          data={bys.map((value) => ({
            value,
            label: `One for each ${dimensions[value].one.toLowerCase()}`,
          }))}
          value={by}
          onChange={(event) => change({ by: event.currentTarget.value })}
        />
        <span>
          <Button
            variant="default"
            component="a"
            href={csv}
            download
            leftSection={<DownloadIcon />}
          >
            CSV
          </Button>
          <Button onClick={() => window.print()}>Print</Button>
        </span>
      </div>
      {!found.data && <PageState query={found} what="statements" />}
      {found.data?.items.length === 0 && (
        <EmptyState
          title="Nothing to pay"
          sentence="No work that holds GPUs ran in this month, of what you can see."
          example={`podium cost --month ${month}`}
        />
      )}
      {found.data?.items.map((statement) => (
        <Bill
          key={statement.name}
          statement={statement}
          all={found.data as Statements}
          by={by}
          project={project}
        />
      ))}
    </div>
  );
}

interface BillProps {
  statement: Statement;
  all: Statements;
  by: By;
  /** The only one that is counted. */
  project: string | undefined;
}

function Bill({ statement, all, by, project }: BillProps) {
  const { since, until, final, currency } = all;
  const { name, lines, total, unpriced } = statement;
  const id = `bill-${name}`;
  const span = `${dayInWords(since)} to ${dayInWords(dayAfter(until.slice(0, 10), -1))} (UTC)`;
  const rate = (value: string | null) => (value === null ? "–" : moneyInWords(value));
  return (
    <article className={classes.bill} aria-labelledby={id}>
      <header>
        <div>
          <p>{dimensions[by].one}</p>
          <h2 id={id}>{nameInWords(by, name)}</h2>
        </div>
        <div>
          <p>Statement of GPU time</p>
          <p>{span}</p>
        </div>
      </header>
      <table aria-label={`Statement of ${nameInWords(by, name)}`}>
        <thead>
          <tr>
            <th scope="col">Project</th>
            <th scope="col">GPU type</th>
            <th scope="col">GPU-hours</th>
            <th scope="col">Per hour</th>
            <th scope="col" data-wide>
              Borrowed
            </th>
            <th scope="col" data-wide>
              Per hour
            </th>
            <th scope="col" data-wide>
              Idle
            </th>
            <th scope="col" data-wide>
              Per hour
            </th>
            <th scope="col">Amount{currency && `, ${currency}`}</th>
          </tr>
        </thead>
        <tbody>
          {lines.map((line) => (
            <tr key={`${line.project} ${line.gpu_type} ${line.since}`}>
              <th scope="row">{line.project}</th>
              <td data-text>{line.gpu_type}</td>
              <td>{hoursInWords(Math.max(0, line.gpu_hours - line.borrowed_gpu_hours))}</td>
              <td>{rate(line.per_gpu_hour)}</td>
              <td data-wide>{hoursInWords(line.borrowed_gpu_hours)}</td>
              <td data-wide>{rate(line.borrowed_per_gpu_hour)}</td>
              <td data-wide>{hoursInWords(line.idle_gpu_hours)}</td>
              <td data-wide>{rate(line.idle_per_gpu_hour)}</td>
              <td>{line.amount === null ? "no price" : moneyInWords(line.amount)}</td>
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">Total</th>
            <td />
            <td colSpan={2} />
            <td colSpan={4} data-wide />
            <td>{total === null ? "–" : moneyInWords(total)}</td>
          </tr>
        </tfoot>
      </table>
      {unpriced.map(({ gpu_type, gpu_hours }) => (
        <p key={gpu_type} className={classes.note}>
          {hoursInWords(gpu_hours)} GPU-hours of {gpu_type} have no price and are not in the total.
        </p>
      ))}
      {project && <p className={classes.note}>Only work of project {project} is counted here.</p>}
      {!final && (
        <p className={classes.note}>
          Not final: the time is not over, or work that began in it still runs.
        </p>
      )}
      <p className={classes.note}>
        Borrowed hours stand apart from the others; idle ones are part of both and cost their price
        on top. The total is worked out exactly and rounded once, so lines may differ from it by
        cents.
      </p>
    </article>
  );
}

function dayInWords(day: string): string {
  return new Date(day).toLocaleDateString("en-GB", {
    timeZone: "UTC",
    day: "numeric",
    month: "long",
    year: "numeric",
  });
}
