/** Sets a budget: whose, how much, and what happens; at its end stands what it will do, in words. */
import { Button, SegmentedControl, TagsInput, TextInput } from "@mantine/core";
import { type FormEvent, useRef, useState } from "react";
import access from "../access/access.module.css";
import { FieldGroup } from "../access/Field";
import { useKept } from "../access/useKept";
import { faultAt } from "../api/problem";
import type { Budget, BudgetPeriod, WhenSpent } from "../api/types";
import { DialogFailure } from "../frame/Dialog";
import { useShares } from "../queue/queries";
import { useMay } from "../session/queries";
import classes from "./budgets.module.css";
import { ChoiceRadios } from "./ChoiceRadios";
import { amountOf, type Draft, draftOf, requestOf, thresholdsOf } from "./draft";
import { useBudgetSet, usePrices } from "./queries";
import { WhoseFields } from "./WhoseFields";
import { budgetInWords, periods, whenSpent, whoseInWords } from "./words";

const placed = ["name", "level", "target", "gpu_hours", "money", "period", "gpu_types"];

interface Props {
  /** The one that is changed; a new one is made without it. */
  budget?: Budget;
  onDone: () => void;
}

export function BudgetForm({ budget, onDone }: Props) {
  const save = useBudgetSet();
  const whole = useMay()("budget:set");
  const { data: prices = [] } = usePrices();
  const { data: quotas } = useShares();
  const form = useRef<HTMLFormElement>(null);
  const [draft, keep, forget] = useKept<Draft>(
    `budget-${budget?.name ?? ""}`,
    draftOf(budget, whole ? "team" : "project"),
  );
  const [faults, setFaults] = useState<Record<string, string>>({});
  const currency = prices[0]?.currency ?? null;
  const types = new Set([
    ...prices.map(({ gpu_type }) => gpu_type),
    ...(quotas?.capacity.map(({ gpu_type }) => gpu_type) ?? []),
  ]);
  const faultOf = (field: string) => faults[field] ?? faultAt(save.error, field);
  const said = [...placed, "thresholds", "note"].some((field) => faultAt(save.error, field));

  function change(next: Partial<Draft>) {
    keep(next);
    const left = Object.entries(faults).filter(([field]) => !(field in next));
    setFaults(
      Object.fromEntries(left.filter(([field]) => !("amount" in next && field === draft.counts))),
    );
    if (save.isError) save.reset();
  }

  function focusFault() {
    requestAnimationFrame(() =>
      form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus(),
    );
  }

  function leave() {
    forget();
    onDone();
  }

  function submit(event: FormEvent) {
    event.preventDefault();
    const found = requestOf(draft);
    setFaults("faults" in found ? found.faults : {});
    if ("faults" in found) return focusFault();
    save.mutate(found.request, { onSuccess: leave, onError: focusFault });
  }

  return (
    <form
      ref={form}
      className={classes.form}
      onSubmit={submit}
      noValidate
      aria-label={budget ? `Change budget ${budget.name}` : "New budget"}
    >
      <h2 className={access.unseen}>{budget ? `Change ${budget.name}` : "New budget"}</h2>
      <FieldGroup title="Whose" sentence="Whose work counts against it.">
        {!budget && (
          <TextInput
            label="Name"
            placeholder="nlp-gpus"
            autoCapitalize="none"
            spellCheck={false}
            maxLength={63}
            data-autofocus
            value={draft.name}
            error={faultOf("name")}
            onChange={(event) => change({ name: event.currentTarget.value })}
          />
        )}
        <WhoseFields draft={draft} faultOf={faultOf} onChange={change} />
      </FieldGroup>
      <FieldGroup
        title="How much"
        sentence={
          currency
            ? "Money is counted by the price list."
            : "Nothing has a price yet, so only GPU-hours can be counted."
        }
      >
        {(currency || draft.counts === "money") && (
          <SegmentedControl
            aria-label="What is counted"
            data={[
              { value: "gpu_hours", label: "GPU-hours" },
              { value: "money", label: `Money (${currency ?? budget?.currency})` },
            ]}
            value={draft.counts}
            onChange={(value) => change({ counts: value as Draft["counts"] })}
          />
        )}
        <TextInput
          label={
            draft.counts === "money" ? `Amount in ${currency ?? budget?.currency}` : "GPU-hours"
          }
          inputMode="decimal"
          placeholder="500"
          value={draft.amount}
          error={faultOf(draft.counts)}
          onChange={(event) => change({ amount: event.currentTarget.value })}
        />
        <ChoiceRadios
          label="Whole again each"
          description="At midnight UTC."
          name="period"
          choices={periods}
          value={draft.period}
          onChange={(period: BudgetPeriod) => change({ period })}
        />
        <TagsInput
          label="Only these GPU types"
          description="Empty: all of them."
          placeholder={draft.gpu_types.length === 0 ? "all types" : ""}
          data={[...types].sort()}
          value={draft.gpu_types}
          error={faultOf("gpu_types")}
          onChange={(gpu_types) => change({ gpu_types })}
        />
      </FieldGroup>
      <FieldGroup title="What happens" sentence="Nothing is ever cancelled, and nothing is lost.">
        <TagsInput
          label="Tell people at, in percent"
          inputMode="numeric"
          splitChars={[",", " ", "%"]}
          value={draft.thresholds}
          error={faultOf("thresholds")}
          onChange={(thresholds) => change({ thresholds })}
        />
        <ChoiceRadios
          label="When it is spent"
          name="when_spent"
          choices={whenSpent}
          value={draft.when_spent}
          onChange={(when_spent: WhenSpent) => change({ when_spent })}
        />
        <TextInput
          label="Note"
          description="Why it is so; may be left empty."
          maxLength={200}
          value={draft.note}
          error={faultOf("note")}
          onChange={(event) => change({ note: event.currentTarget.value })}
        />
      </FieldGroup>
      <footer className={classes.foot}>
        <p aria-live="polite">
          {budgetInWords({
            ...draft,
            whose: whoseInWords(draft.level, draft.target),
            amount: amountOf(draft.amount),
            currency: draft.counts === "money" ? currency : null,
            thresholds: thresholdsOf(draft.thresholds),
          })}
        </p>
        {save.error && !said && <DialogFailure>{save.error.message}</DialogFailure>}
        <div>
          <Button type="submit" loading={save.isPending}>
            {budget ? "Save budget" : "Set budget"}
          </Button>
          <Button variant="default" onClick={leave}>
            Leave it
          </Button>
        </div>
      </footer>
    </form>
  );
}
