/** What was used and what it cost: by day or month, by whom, and one press further into each. */
import access from "../access/access.module.css";
import { StackedBars } from "../charts/StackedBars";
import { EmptyState } from "../frame/EmptyState";
import { PageState } from "../frame/PageState";
import { searchText } from "../frame/search";
import { useGovernanceSearch } from "../governance/search";
import { useProject } from "../projects/scope";
import { useClock } from "../time/clock";
import { byOf, chosenOf, daysOf, dimensions, filters, keyOf, measureOf, next, perOf } from "./ask";
import { barColumns, OTHERS, topNames } from "./columns";
import { Figures } from "./Figures";
import { useUsage } from "./queries";
import { UsageBar } from "./UsageBar";
import { UsageTable } from "./UsageTable";
import { formatOf, measures, nameInWords } from "./words";

const MINUTE_MS = 60_000;

export default function UsagePage() {
  const [search, change] = useGovernanceSearch();
  const project = useProject();
  const now = useClock((ms) => ms - (ms % MINUTE_MS));
  const days = daysOf(search, now);
  const per = perOf(search, days);
  const by = byOf(search);
  const chosen = chosenOf(search, project);
  const labelKey = keyOf(search);
  const unasked = by === "label" && !labelKey;
  const total = useUsage({ ...days, by, labelKey, per: "total", chosen }, !unasked);
  const measure = measureOf(search, Boolean(total.data?.currency));
  const top = total.data && !unasked ? topNames(total.data, measure) : [];
  // The names with the most are asked for alone, so that a year of many projects stays small. Of
  // labels that cannot be asked: several of them mean work that has them all.
  const every = by === "label" || (total.data?.items.length ?? 0) <= top.length;
  const few = every ? chosen : { ...chosen, [by]: top };
  const named = useUsage({ ...days, by, labelKey, per, chosen: few }, top.length > 0);
  const whole = useUsage({ ...days, by: "organisation", per, chosen }, top.length > 0);
  const columns =
    named.data && whole.data
      ? barColumns({ named: named.data, whole: whole.data, top, days, per, measure })
      : undefined;
  const data = unasked ? undefined : total.data;
  const format = formatOf(measure, data?.currency ?? null);

  function open(name: string) {
    if (by === "project") change({ by: next[by], project: name });
    else if (by === "label") change({ by: next[by], of_label: `${labelKey}=${name}` });
    else change({ by: next[by], [filters[by]]: name });
  }

  const csv = `/api/v1/usage/report${searchText({ ...chosen, ...days, by, ...(labelKey && { by_label: labelKey }), per, format: "csv" })}`;
  const names = new Map([
    ...top.map((name) => [name, nameInWords(by, name)] as const),
    [OTHERS, `Other ${dimensions[by].many.toLowerCase()}`] as const,
  ]);
  return (
    <>
      <UsageBar
        search={search}
        days={days}
        by={by}
        per={per}
        measure={measure}
        priced={Boolean(data?.currency)}
        project={project}
        labelKey={labelKey}
        csv={unasked ? undefined : csv}
        onChange={change}
      />
      {unasked && (
        <EmptyState
          title="By which label?"
          sentence="Labels are what people give their work, such as run=7. Write the key above, run here, and its values stand here with what they used."
          example="podium usage --by label:run"
        />
      )}
      {!unasked && !data && <PageState query={total} what="usage" />}
      {data && data.items.length === 0 && (
        <EmptyState
          title="Nothing was used"
          sentence="GPU time counts from the start of a process to its end. Nothing ran in these days that you can see; choose others, or run something."
          example="podium usage --by team --per day"
        />
      )}
      {data && data.items.length > 0 && (
        <>
          <Figures total={data.total} currency={data.currency} />
          {columns ? (
            <StackedBars
              label={`${measures[measure]} per ${per} by ${dimensions[by].one.toLowerCase()}`}
              columns={columns}
              names={names}
              others={OTHERS}
              per={per}
              format={format}
              onPart={open}
            />
          ) : (
            <PageState query={named.data ? whole : named} what="usage per day" rows={6} />
          )}
          <UsageTable report={data} by={by} measure={measure} onOpen={open} />
          <p className={access.note}>
            Days and months are those of UTC. What runs counts up to now. Idle is what was measured
            to be idle; borrowed is beyond the guarantees of the project and its team.
          </p>
        </>
      )}
    </>
  );
}
