/** What is told and of when: days, by what, which amount, and the filters that are on. */
import { Button, NativeSelect, SegmentedControl, TextInput } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { CloseIcon, DownloadIcon } from "../frame/icons";
import type { GovernanceSearch } from "../governance/search";
import {
  type By,
  type Days,
  dayAfter,
  dimensions,
  filterNames,
  filters,
  type Measure,
  type SpanName,
  spanDays,
  spans,
} from "./ask";
import classes from "./usage.module.css";
import { measures } from "./words";

interface Props {
  search: GovernanceSearch;
  days: Days;
  by: By;
  per: "day" | "month";
  measure: Measure;
  priced: boolean;
  project: string | undefined;
  labelKey: string;
  /** Undefined where nothing can be asked yet. */
  csv: string | undefined;
  onChange: (next: GovernanceSearch & { project?: string }) => void;
}

export function UsageBar(props: Props) {
  const { search, days, by, per, measure, priced, project, labelKey, csv, onChange } = props;
  const now = Date.now();
  const span = (Object.keys(spans) as SpanName[]).find((each) => {
    const found = spanDays(each, now);
    return found.since === days.since && found.until === days.until;
  });
  const shown: [name: string, label: string, value: string][] = [
    ...filterNames.flatMap((name): [string, string, string][] => {
      const value = search[filters[name]];
      return value ? [[filters[name], dimensions[name].one, value]] : [];
    }),
    ...(project ? [["project", "Project", project] as [string, string, string]] : []),
  ];
  return (
    <>
      <search className={classes.bar} aria-label="What is told">
        <NativeSelect
          aria-label="Days"
          data={[
            ...Object.entries(spans).map(([value, label]) => ({ value, label })),
            ...(span ? [] : [{ value: "", label: "Days of your own" }]),
          ]}
          value={span ?? ""}
          onChange={(event) => {
            const name = event.currentTarget.value as SpanName;
            onChange(name === "month" ? { since: "", until: "" } : spanDays(name, now));
          }}
        />
        <span className={classes.days}>
          <TextInput
            type="date"
            aria-label="First day"
            value={days.since}
            max={dayAfter(days.until, -1)}
            onChange={(event) => {
              const since = event.currentTarget.value;
              if (since) onChange({ since, until: days.until });
            }}
          />
          to
          <TextInput
            type="date"
            aria-label="Last day"
            value={dayAfter(days.until, -1)}
            min={days.since}
            onChange={(event) => {
              const last = event.currentTarget.value;
              if (last) onChange({ since: days.since, until: dayAfter(last) });
            }}
          />
        </span>
        <SegmentedControl
          aria-label="Per"
          data={[
            { value: "day", label: "By day" },
            { value: "month", label: "By month" },
          ]}
          value={per}
          onChange={(value) => onChange({ per: value })}
        />
        <NativeSelect
          aria-label="By"
          data={Object.entries(dimensions).map(([value, { many }]) => ({ value, label: many }))}
          value={by}
          onChange={(event) => onChange({ by: event.currentTarget.value })}
        />
        {by === "label" && (
          <TextInput
            key={labelKey}
            className={classes.key}
            aria-label="Label key"
            placeholder="Key, such as run"
            defaultValue={labelKey}
            maxLength={63}
            autoFocus={!labelKey}
            onBlur={(event) => onChange({ key: event.currentTarget.value.trim() })}
            onKeyDown={(event) => {
              if (event.key === "Enter") event.currentTarget.blur();
            }}
          />
        )}
        <NativeSelect
          aria-label="Amount"
          data={Object.entries(measures)
            .filter(([value]) => priced || value !== "cost")
            .map(([value, label]) => ({ value, label }))}
          value={measure}
          onChange={(event) => onChange({ measure: event.currentTarget.value })}
        />
        <span className={classes.ends}>
          <Button
            variant="default"
            renderRoot={(given) => (
              <Link
                to="/usage/statements"
                search={{ month: dayAfter(days.until, -1).slice(0, 7) }}
                {...given}
              />
            )}
          >
            Statements
          </Button>
          {csv && (
            <Button
              variant="default"
              component="a"
              href={csv}
              download
              leftSection={<DownloadIcon />}
            >
              CSV
            </Button>
          )}
        </span>
      </search>
      {shown.length > 0 && (
        <p className={classes.filters}>
          <span>Only</span>
          {shown.map(([name, label, value]) => (
            <button
              key={name}
              type="button"
              aria-label={`Show not only ${label.toLowerCase()} ${value}`}
              onClick={() =>
                onChange({
                  [name]: "",
                  ...backTo(name, value),
                })
              }
            >
              {label} <b>{value}</b> <CloseIcon />
            </button>
          ))}
        </p>
      )}
    </>
  );
}

/** What is told once a filter is gone: that by which it was chosen. */
function backTo(name: string, value: string): GovernanceSearch {
  if (name === "of_label") return { by: "label", key: value.slice(0, value.indexOf("=")) };
  return name === "of_kind" || name === "gpu_type" ? {} : { by: name };
}
