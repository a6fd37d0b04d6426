/** Changes in place what a team, a project or the whole organisation can count on. */
import { Button, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { faultAt } from "../api/problem";
import type { Quotas } from "../api/types";
import { Notice } from "../session/Notice";
import { useQuotaSet } from "./queries";
import { quotaRequest, quotaTexts, quotaTypes } from "./quotaForm";
import { ALL, type Share } from "./shares";
import classes from "./shares.module.css";

interface Props {
  share: Share;
  quotas: Quotas;
  onDone: () => void;
}

export function QuotaForm({ share, quotas, onDone }: Props) {
  const save = useQuotaSet(share.level, share.name);
  const [texts, setTexts] = useState(() => quotaTexts(share, quotas));
  const [faults, setFaults] = useState<Record<string, string>>({});
  const types = quotaTypes(share, quotas);
  const whole = share.level === "organisation";
  const said: string[] = [];
  const faultOf = (field: string) => {
    const found = faults[field] ?? faultAt(save.error, field);
    if (found) said.push(field);
    return found;
  };

  function submit(event: FormEvent) {
    event.preventDefault();
    const found = quotaRequest(texts);
    setFaults("faults" in found ? found.faults : {});
    if ("request" in found) save.mutate(found.request, { onSuccess: onDone });
  }

  function write(type: string, part: "guarantee" | "limit", text: string) {
    setTexts((before) => ({
      ...before,
      gpus: {
        ...before.gpus,
        [type]: { guarantee: "", limit: "", ...before.gpus[type], [part]: text },
      },
    }));
  }

  const fields = types.map((type) => {
    const label = type === ALL ? "all types" : type;
    return (
      <div key={type} className={classes.fields}>
        <span className={classes.fieldType}>{type === ALL ? "All types" : type}</span>
        {!whole && (
          <TextInput
            aria-label={`Guaranteed of ${label}`}
            placeholder="nothing"
            inputMode="decimal"
            value={texts.gpus[type]?.guarantee ?? ""}
            error={faultOf(`gpus.${type}.guarantee_milli`)}
            onChange={(event) => write(type, "guarantee", event.currentTarget.value)}
          />
        )}
        <TextInput
          aria-label={`At most of ${label}`}
          placeholder="no limit"
          inputMode="decimal"
          value={texts.gpus[type]?.limit ?? ""}
          error={faultOf(`gpus.${type}.limit_milli`)}
          onChange={(event) => write(type, "limit", event.currentTarget.value)}
        />
      </div>
    );
  });
  const weight = !whole && (
    <TextInput
      label="Weight"
      description="Its part of what nobody is guaranteed, beside its neighbours'. 0: only what they leave."
      inputMode="numeric"
      value={texts.weight}
      error={faultOf("weight")}
      onChange={(event) => {
        const { value } = event.currentTarget;
        setTexts((before) => ({ ...before, weight: value }));
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
        <div className={classes.fields} aria-hidden="true" data-head>
          <span>GPUs</span>
          {!whole && <span>Guaranteed</span>}
          <span>At most</span>
        </div>
        {fields}
      </div>
      <div className={classes.formSide}>
        {weight}
        {save.isError && said.length === 0 && <Notice tone="failed">{save.error.message}</Notice>}
        <div className={classes.formActions}>
          <Button type="submit" loading={save.isPending}>
            Save quota
          </Button>
          <Button variant="default" onClick={onDone}>
            Leave it
          </Button>
        </div>
      </div>
    </form>
  );
}
