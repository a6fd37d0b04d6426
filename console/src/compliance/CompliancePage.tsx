/** What the audit trail proves about classified work: where it ran, and what should not have been. */
import { Button, NativeSelect } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import access from "../access/access.module.css";
import { Part } from "../access/Part";
import type { Classification, ComplianceReport } from "../api/types";
import { ClassBadge } from "../data/ClassBadge";
import { classes as classWords } from "../data/words";
import { EmptyState } from "../frame/EmptyState";
import { CheckIcon, DownloadIcon, WarningIcon } from "../frame/icons";
import { PageState } from "../frame/PageState";
import { searchText } from "../frame/search";
import { useGovernanceSearch } from "../governance/search";
import { anyProject, useProject } from "../projects/scope";
import { counted } from "../quantity/words";
import { useMay } from "../session/queries";
import { useClock } from "../time/clock";
import { Moment, RelativeTime } from "../time/Times";
import classes from "./compliance.module.css";
import { type ReportAsked, useCompliance } from "./queries";

const spans: Record<string, string> = {
  "": "Since ever",
  "7": "Last 7 days",
  "30": "Last 30 days",
  "90": "Last 90 days",
  "365": "Last year",
};
const HOUR_MS = 3_600_000;

export const findings: Record<ComplianceReport["findings"][number]["kind"], string> = {
  pool: "Place not approved",
  region: "Outside its regions",
  class: "Written down as less sensitive",
  grant: "Without a grant",
  exposed: "Approval ended while it ran",
  unproven: "Not proven",
};

export default function CompliancePage() {
  const [search, change] = useGovernanceSearch();
  const project = useProject();
  const mayVerify = useMay()("audit:read");
  const hour = useClock((ms) => ms - (ms % HOUR_MS));
  const days = search.days !== undefined && search.days in spans ? search.days : "30";
  const kind =
    search.class !== undefined && search.class in classWords
      ? (search.class as Classification)
      : undefined;
  const asked: ReportAsked = {
    ...(days &&
      days !== "0" && { since: new Date(hour - Number(days) * 24 * HOUR_MS).toISOString() }),
    ...(kind && { class: kind }),
    ...(project && { project }),
    verify: mayVerify && !project,
  };
  const report = useCompliance(asked);
  const { data } = report;
  return (
    <>
      <search className={access.bar} aria-label="What is reported">
        <NativeSelect
          aria-label="Time"
          data={Object.entries(spans)
            .filter(([value]) => value)
            .map(([value, label]) => ({ value, label }))}
          value={days}
          onChange={(event) => change({ days: event.currentTarget.value })}
        />
        <NativeSelect
          aria-label="Class"
          data={[
            { value: "", label: "All classes" },
            ...Object.entries(classWords).map(([value, { label }]) => ({ value, label })),
          ]}
          value={kind ?? ""}
          onChange={(event) => change({ class: event.currentTarget.value })}
        />
        <span className={access.actions}>
          <Button
            variant="default"
            component="a"
            href={`/api/v1/compliance${searchText({ ...asked, limit: 10_000, format: "csv" })}`}
            download
            leftSection={<DownloadIcon />}
          >
            CSV
          </Button>
        </span>
      </search>
      {!data && <PageState query={report} what="the compliance report" />}
      {data && <Verdict report={data} />}
      {data && data.findings.length > 0 && (
        <Part title="Findings" count={data.findings.length} top>
          <ul className={classes.findings} aria-label="Findings">
            {data.findings.map((each) => (
              <li key={`${each.kind} ${each.seq} ${each.workload_id}`} data-kind={each.kind}>
                <WarningIcon />
                <div>
                  <p>
                    <b>{findings[each.kind]}</b> {each.sentence}
                  </p>
                  <p className={classes.quiet}>
                    <Moment at={each.at} /> ·{" "}
                    <Link to="/workloads/$id" params={{ id: each.workload_id }} search={anyProject}>
                      {each.workload_id}
                    </Link>{" "}
                    of {each.project} ·{" "}
                    <Link to="/audit" search={{ entry: each.seq } as never}>
                      entry {each.seq.toLocaleString("en")} of the trail
                    </Link>
                  </p>
                </div>
              </li>
            ))}
          </ul>
        </Part>
      )}
      {data?.accesses === 0 && (
        <EmptyState
          title="No classified data was used"
          sentence="Each use of a data source, and each start of work that is classified by itself, is written to the audit trail and checked here against what its pool was approved for then."
          example="podium compliance report"
        />
      )}
      {data && data.accesses > 0 && <Uses report={data} />}
    </>
  );
}

function Verdict({ report }: { report: ComplianceReport }) {
  const { violations, unproven, accesses, trail_ok, trail_sentence, first_seq, last_seq } = report;
  const bad = violations > 0 || trail_ok === false;
  const said =
    violations > 0
      ? `${counted(violations, "violation")} in ${counted(accesses, "use")} of classified data`
      : trail_ok === false
        ? "The audit trail was changed, so it proves nothing"
        : accesses === 0
          ? "Nothing to report"
          : unproven > 0
            ? `No violation; ${counted(unproven, "use")} of ${accesses.toLocaleString("en")} cannot be proven`
            : `All ${counted(accesses, "use")} of classified data ran where it may`;
  const tone = bad ? "bad" : unproven > 0 || trail_ok === null ? "open" : "good";
  return (
    <section className={classes.verdict} data-tone={tone} aria-label="Verdict">
      {tone === "good" ? <CheckIcon /> : <WarningIcon />}
      <div>
        <h2>{said}</h2>
        <p>
          {trail_sentence}
          {trail_ok === null &&
            last_seq > 0 &&
            ` Entries ${first_seq.toLocaleString("en")} to ${last_seq.toLocaleString("en")} of the audit trail.`}
        </p>
        {accesses > 0 && (
          <p className={classes.counts}>
            {Object.entries(report.by_class).map(([name, count]) => (
              <span key={name}>
                <ClassBadge value={name} /> {count.toLocaleString("en")}
              </span>
            ))}
            {Object.entries(report.by_pool).map(([name, count]) => (
              <span key={name}>
                {name ? `pool ${name}` : "no pool"} {count.toLocaleString("en")}
              </span>
            ))}
          </p>
        )}
      </div>
    </section>
  );
}

const verdicts: Record<string, string> = {
  approved: "Approved",
  violation: "Violation",
  unproven: "Not proven",
};

function Uses({ report: { items, accesses } }: { report: ComplianceReport }) {
  return (
    <Part
      title="Uses"
      count={accesses}
      top
      sentence={
        items.length < accesses
          ? `The newest ${items.length.toLocaleString("en")}; the CSV has more.`
          : undefined
      }
    >
      <table className={access.table} aria-label="Uses of classified data">
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">Class</th>
            <th scope="col">Workload</th>
            <th scope="col" data-wide>
              Data
            </th>
            <th scope="col" data-wide>
              Where
            </th>
            <th scope="col">Verdict</th>
          </tr>
        </thead>
        <tbody>
          {items.map((each) => (
            <tr key={`${each.seq} ${each.source} ${each.workload_id}`}>
              <td data-time>
                <RelativeTime at={each.at} />
              </td>
              <td>
                <ClassBadge value={each.classification} />
              </td>
              <td>
                <Link to="/workloads/$id" params={{ id: each.workload_id }} search={anyProject}>
                  {each.workload_id}
                </Link>
                <p className={access.under}>
                  {each.project}, {each.username}
                </p>
              </td>
              <td data-wide>
                {each.source || <span className={access.quiet}>classified by itself</span>}
              </td>
              <td data-wide>
                {[each.node, each.pool ? `pool ${each.pool}` : "no pool", each.region]
                  .filter(Boolean)
                  .join(", ")}
              </td>
              <td className={classes.use} data-verdict={each.verdict}>
                {each.verdict === "approved" ? <CheckIcon /> : <WarningIcon />}{" "}
                {verdicts[each.verdict] ?? each.verdict}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Part>
  );
}
