/** What each held and waited for, of which type, against what it is guaranteed; one row in full. */
import { Button, NativeSelect } from "@mantine/core";
import access from "../access/access.module.css";
import { Part } from "../access/Part";
import type { DemandBy, WaitReason } from "../api/types";
import { formats } from "../charts/formats";
import { TimeChart } from "../charts/TimeChart";
import { EmptyState } from "../frame/EmptyState";
import { DownloadIcon } from "../frame/icons";
import { PageState } from "../frame/PageState";
import { searchText } from "../frame/search";
import { useGovernanceSearch } from "../governance/search";
import { durationInWords } from "../time/words";
import { reasonInWords } from "../workloads/reasons";
import classes from "./planning.module.css";
import { useDemand } from "./queries";
import { curvesOf, type Demand, gpusInWords, rowKey } from "./words";

const bys: Record<DemandBy, string> = {
  team: "Teams",
  project: "Projects",
  cost_centre: "Cost centres",
};
const spans: Record<string, string> = {
  "7": "Last 7 days",
  "30": "Last 30 days",
  "90": "Last 90 days",
};
const ROWS = 100;

export function DemandPart() {
  const [search, change] = useGovernanceSearch();
  const by = search.by !== undefined && search.by in bys ? (search.by as DemandBy) : "team";
  const days = search.days !== undefined && search.days in spans ? search.days : "30";
  const demand = useDemand(by, Number(days));
  const { data } = demand;
  const looked = data?.items.find((each) => rowKey(each) === search.row) ?? data?.items[0];
  return (
    <Part
      title="Demand against guarantees"
      top
      sentence="What was held and what was waited for, on average, against what is guaranteed now. What waited most stands first."
      aside={
        <span className={classes.choices}>
          <NativeSelect
            aria-label="By"
            data={Object.entries(bys).map(([value, label]) => ({ value, label }))}
            value={by}
            onChange={(event) => change({ by: event.currentTarget.value, row: "" })}
          />
          <NativeSelect
            aria-label="Time"
            data={Object.entries(spans).map(([value, label]) => ({ value, label }))}
            value={days}
            onChange={(event) => change({ days: event.currentTarget.value })}
          />
          <Button
            variant="default"
            component="a"
            href={`/api/v1/capacity/demand${searchText({ by, days, format: "csv" })}`}
            download
            leftSection={<DownloadIcon />}
          >
            CSV
          </Button>
        </span>
      }
    >
      {!data && <PageState query={demand} what="demand" />}
      {data?.items.length === 0 && (
        <EmptyState
          title="Nothing was asked for"
          sentence="Demand is counted by the hour, from the first work that asks for GPUs on. Come back when some has run or waited."
          example="podium capacity demand --by team"
        />
      )}
      {data && looked && (
        <>
          {looked.curve && looked.curve.length > 0 && (
            <div className={classes.chart}>
              <TimeChart
                label={`GPUs of ${whoOf(looked)}${looked.gpu_type ? `, ${looked.gpu_type}` : ", any type"}`}
                series={curvesOf(looked, Date.parse(data.since), Date.parse(data.until))}
                from={Date.parse(data.since)}
                to={Date.parse(data.until)}
                format={formats.gpus}
              />
            </div>
          )}
          <table className={classes.table} aria-label="Demand against guarantees, in GPUs">
            <thead>
              <tr>
                <th scope="col">Who</th>
                <th scope="col">GPU type</th>
                <th scope="col" data-bar>
                  <span className={access.unseen}>Bar</span>
                </th>
                <th scope="col" data-number>
                  Wanted
                </th>
                <th scope="col" data-number data-wide>
                  Held
                </th>
                <th scope="col" data-number>
                  Guaranteed
                </th>
                <th scope="col" data-number data-wide>
                  Peak
                </th>
                <th scope="col" data-number data-wide>
                  Mean wait
                </th>
                <th scope="col" data-wide>
                  Why it waited
                </th>
              </tr>
            </thead>
            <tbody>
              {data.items.slice(0, ROWS).map((each) => (
                <Row
                  key={rowKey(each)}
                  demand={each}
                  most={Math.max(...data.items.map(wholeOf))}
                  looked={each === looked}
                  onLook={() => change({ row: rowKey(each) })}
                />
              ))}
            </tbody>
          </table>
        </>
      )}
    </Part>
  );
}

function whoOf({ name }: Demand): string {
  return name || "no cost centre";
}

function wholeOf({ wanted_gpus, guarantee_gpus }: Demand): number {
  return Math.max(wanted_gpus, guarantee_gpus, 0.01);
}

interface RowProps {
  demand: Demand;
  most: number;
  looked: boolean;
  onLook: () => void;
}

function Row({ demand, most, looked, onLook }: RowProps) {
  const { gpu_type, held_gpus, wanted_gpus, guarantee_gpus, peak_gpus, over_hours } = demand;
  const { wait_mean_seconds, reasons } = demand;
  const percent = (gpus: number) => `${(gpus / most) * 100}%`;
  return (
    <tr data-looked={looked || undefined}>
      <th scope="row">
        <button type="button" aria-pressed={looked} onClick={onLook}>
          {whoOf(demand)}
        </button>
      </th>
      <td>{gpu_type || "any of several"}</td>
      <td data-bar>
        <span className={classes.bar} aria-hidden>
          <span style={{ width: percent(held_gpus) }} />
          <span data-waited style={{ width: percent(Math.max(0, wanted_gpus - held_gpus)) }} />
          {guarantee_gpus > 0 && <i style={{ left: percent(guarantee_gpus) }} />}
        </span>
      </td>
      <td data-number title={`${over_hours.toLocaleString("en")} hours above what is guaranteed`}>
        {gpusInWords(wanted_gpus)}
      </td>
      <td data-number data-wide>
        {gpusInWords(held_gpus)}
      </td>
      <td data-number data-none={guarantee_gpus === 0 || undefined}>
        {guarantee_gpus === 0 ? "–" : gpusInWords(guarantee_gpus)}
      </td>
      <td data-number data-wide>
        {gpusInWords(peak_gpus)}
      </td>
      <td data-number data-wide data-none={wait_mean_seconds === null || undefined}>
        {wait_mean_seconds === null ? "–" : durationInWords(wait_mean_seconds)}
      </td>
      <td data-wide className={access.quiet}>
        {reasons
          .slice(0, 2)
          .map(({ reason }) => reasonInWords(reason as WaitReason))
          .join(", ")}
      </td>
    </tr>
  );
}
