/** Changes in place what a team, a project or the whole organisation can count on. */
import { Button, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { faultAt } from "../api/problem";
import type { Counted, QuotaRequest, Quotas } from "../api/types";
import { Difference } from "../foresight/Difference";
import { Notice } from "../session/Notice";
import { useQuotaPreview, useQuotaSet } from "./queries";
import {
  counted,
  type GpuTexts,
  noTexts,
  type QuotaTexts,
  quotaRequest,
  quotaTexts,
  quotaTypes,
} from "./quotaForm";
import { ALL, type Share } from "./shares";
import classes from "./shares.module.css";

interface Props {
  share: Share;
  quotas: Quotas;
  onDone: () => void;
}

export function QuotaForm({ share, quotas, onDone }: Props) {
  const save = useQuotaSet(share.level, share.name);
  const preview = useQuotaPreview(share.level, share.name);
  const [texts, setTexts] = useState(() => quotaTexts(share, quotas));
  const [faults, setFaults] = useState<Record<string, string>>({});
  const types = quotaTypes(share, quotas);
  const whole = share.level === "organisation";
  const refused = save.error ?? preview.error;
  const said: string[] = [];
  const faultOf = (field: string) => {
    const found = faults[field] ?? faultAt(refused, field);
    if (found) said.push(field);
    return found;
  };

  function send(run: (request: QuotaRequest) => void) {
    const found = quotaRequest(texts);
    setFaults("faults" in found ? found.faults : {});
    if ("request" in found) run(found.request);
  }

  function submit(event: FormEvent) {
    event.preventDefault();
    preview.reset();
    send((request) => save.mutate(request, { onSuccess: onDone }));
  }

  function change(next: (before: QuotaTexts) => QuotaTexts) {
    setTexts(next);
    preview.reset();
    save.reset();
  }

  function write(type: string, part: keyof GpuTexts, text: string) {
    change((before) => ({
      ...before,
      gpus: { ...before.gpus, [type]: { ...noTexts, ...before.gpus[type], [part]: text } },
    }));
  }

  const parts: [part: keyof GpuTexts, field: string, label: string, empty: string][] = [
    ...(whole
      ? []
      : [
          ["guarantee", "guarantee_milli", "Guaranteed", "nothing"] as [
            keyof GpuTexts,
            string,
            string,
            string,
          ],
        ]),
    ["limit", "limit_milli", "At most", "no limit"],
    ["each", "per_user_milli", "Per person", "no cap"],
  ];
  const fields = types.map((type) => (
    <div key={type} className={classes.fields} data-columns={parts.length}>
      <span className={classes.fieldType}>{type === ALL ? "All types" : type}</span>
      {parts.map(([part, field, label, empty]) => (
        <TextInput
          key={part}
          aria-label={`${label} of ${type === ALL ? "all types" : type}`}
          placeholder={empty}
          inputMode="decimal"
          value={texts.gpus[type]?.[part] ?? ""}
          error={faultOf(`gpus.${type}.${field}`)}
          onChange={(event) => write(type, part, event.currentTarget.value)}
        />
      ))}
    </div>
  ));
  const ceilings = (Object.keys(counted) as Counted[]).map((name) => (
    <TextInput
      key={name}
      label={[counted[name].label, counted[name].unit].filter(Boolean).join(", ")}
      placeholder="no limit"
      inputMode="decimal"
      value={texts.ceilings[name] ?? ""}
      error={faultOf(`ceilings.${name}`)}
      onChange={(event) => {
        const { value } = event.currentTarget;
        change((before) => ({ ...before, ceilings: { ...before.ceilings, [name]: value } }));
      }}
    />
  ));
  const weight = !whole && (
    <TextInput
      label="Weight"
      description="Its part of what nobody is guaranteed, beside its neighbours'. 0: only what they leave."
      inputMode="numeric"
      value={texts.weight}
      error={faultOf("weight")}
      onChange={(event) => {
        const { value } = event.currentTarget;
        change((before) => ({ ...before, weight: value }));
      }}
    />
  );
  return (
    <form
      className={classes.form}
      onSubmit={submit}
      noValidate
      aria-label={`Quota of ${share.name}`}
    >
      <div>
        <div className={classes.fields} aria-hidden="true" data-head data-columns={parts.length}>
          <span>GPUs</span>
          {parts.map(([part, , label]) => (
            <span key={part}>{label}</span>
          ))}
        </div>
        {fields}
      </div>
      <div className={classes.formSide}>
        <fieldset className={classes.ceilings}>
          <legend>At most of what is no GPU</legend>
          {ceilings}
        </fieldset>
        {weight}
        {refused && said.length === 0 && <Notice tone="failed">{refused.message}</Notice>}
        <div className={classes.formActions}>
          <Button type="submit" loading={save.isPending}>
            Save quota
          </Button>
          <Button
            variant="default"
            loading={preview.isPending}
            onClick={() => send((request) => preview.mutate(request))}
          >
            Who would be affected?
          </Button>
          <Button variant="default" onClick={onDone}>
            Leave it
          </Button>
        </div>
        <div aria-live="polite">{preview.data && <Difference found={preview.data} />}</div>
      </div>
    </form>
  );
}
