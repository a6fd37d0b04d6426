/** Asks how many more GPUs of which type would have shortened the wait, and tells what came out. */
import { Button, NativeSelect, TagsInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import access from "../access/access.module.css";
import { Part } from "../access/Part";
import { faultAt } from "../api/problem";
import type { CapacityPlan } from "../api/types";
import { DialogFailure } from "../frame/Dialog";
import { useGovernanceSearch } from "../governance/search";
import { counted } from "../quantity/words";
import { useShares } from "../queue/queries";
import { durationInWords } from "../time/words";
import classes from "./planning.module.css";
import { useCapacityPlan, usePlanMake } from "./queries";
import { partInWords, typeInSentence } from "./words";

const spans = { "1": "the last day", "7": "the last 7 days", "30": "the last 30 days" };
const targets = { "0.5": "half of what it was", "0.25": "a quarter of what it was" };
const MOST = 1024;

export function PlanPart() {
  const make = usePlanMake();
  const { data: quotas } = useShares();
  const [{ plan: id }, change] = useGovernanceSearch();
  const plan = useCapacityPlan(id);
  const [days, setDays] = useState("7");
  const [target, setTarget] = useState("0.5");
  const [types, setTypes] = useState<string[]>([]);
  const { data } = plan;
  const running = data?.state === "running";

  function submit(event: FormEvent) {
    event.preventDefault();
    make.mutate(
      { days: Number(days), target: Number(target), gpu_types: types, most: MOST },
      { onSuccess: (made) => change({ plan: made.id }) },
    );
  }

  const fault = [0, 1, 2].map((at) => faultAt(make.error, `gpu_types.${at}`)).find(Boolean);
  return (
    <Part
      title="How many more GPUs"
      top
      sentence="Replays what was recorded with the scheduler's own decisions, with more GPUs of one type at a time, until the mean wait is short enough. Nothing is changed."
    >
      <form className={access.form} onSubmit={submit} noValidate aria-label="How many more GPUs">
        <NativeSelect
          label="Replay"
          data={Object.entries(spans).map(([value, label]) => ({ value, label }))}
          value={days}
          onChange={(event) => setDays(event.currentTarget.value)}
        />
        <NativeSelect
          label="Until the mean wait is"
          data={Object.entries(targets).map(([value, label]) => ({ value, label }))}
          value={target}
          onChange={(event) => setTarget(event.currentTarget.value)}
        />
        <TagsInput
          className={access.grows ?? ""}
          label="Only these GPU types"
          placeholder={types.length === 0 ? "all types" : ""}
          data={quotas?.capacity.map(({ gpu_type }) => gpu_type) ?? []}
          value={types}
          error={fault}
          onChange={(next) => {
            setTypes(next);
            make.reset();
          }}
        />
        <div className={access.formActions}>
          <Button type="submit" loading={make.isPending} disabled={running}>
            Work it out
          </Button>
        </div>
        {make.error && !fault && <DialogFailure>{make.error.message}</DialogFailure>}
      </form>
      {plan.error && !data && (
        <p className={access.note}>This plan is not there any more. Work it out again.</p>
      )}
      {running && <Progress plan={data} />}
      {data?.state === "failed" && <DialogFailure>{data.error}</DialogFailure>}
      {data?.result && <Result result={data.result} />}
    </Part>
  );
}

function Progress({ plan: { progress, doing } }: { plan: CapacityPlan }) {
  const percent = Math.round(progress * 100);
  return (
    <div className={classes.progress}>
      <span
        role="progressbar"
        aria-label="Working out the plan"
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={percent}
      >
        <span style={{ width: `${percent}%` }} />
      </span>
      <p role="status">{doing || "Reading what was recorded"}</p>
    </div>
  );
}

function Result({ result }: { result: NonNullable<CapacityPlan["result"]> }) {
  const { types, target, calibration, assumptions, workloads, replays, took_seconds } = result;
  return (
    <div className={classes.result}>
      {types.length === 0 && <p>No work waited that more GPUs could have helped.</p>}
      {types.map((type) => (
        <section key={type.gpu_type} aria-label={type.gpu_type}>
          <h3>
            {type.more === null ? "–" : `+${type.more.toLocaleString("en")}`}{" "}
            <span>{type.gpu_type}</span>
            <small>
              {type.gpus.toLocaleString("en")} there, {counted(type.workloads, "workload")} could
              use it
            </small>
          </h3>
          <p>
            {typeInSentence(type, target)} {type.note}
          </p>
          {type.teams.length > 0 && (
            <ul>
              {type.teams.map((team) => (
                <li key={team.team}>
                  {team.team}: {durationInWords(team.before_seconds)} →{" "}
                  {durationInWords(team.after_seconds)}
                </li>
              ))}
            </ul>
          )}
        </section>
      ))}
      <details>
        <summary>How sure this is</summary>
        <p>
          {counted(workloads, "workload")} replayed {counted(replays, "time")} in{" "}
          {durationInWords(took_seconds)}, to bring the mean wait to {partInWords(target)}. With the
          GPUs that are there, the replay gives a mean wait of{" "}
          {durationInWords(calibration.replayed_mean_seconds)} where{" "}
          {durationInWords(calibration.recorded_mean_seconds)} was recorded, and is near for{" "}
          {Math.round(calibration.near * 100)} % of workloads.
        </p>
        <ul>
          {assumptions.map((each) => (
            <li key={each}>{each}</li>
          ))}
        </ul>
      </details>
      {!result.finished && <p>Time ran out before all types were tried.</p>}
    </div>
  );
}
