/** The GPUs of each replica: none, whole ones, a share, or an instance; and of which type. */
import { useMemo } from "react";
import { counted } from "../quantity/words";
import { ChoiceField } from "./ChoiceField";
import { type GpuMode, gpuModeOf, roomByType } from "./fit";
import { faultOf, fieldId, useForm } from "./form";
import { InYaml } from "./InYaml";
import { useAllNodes } from "./queries";
import { isListAt, isMapAt, type Plain, textAt, textsAt } from "./specText";
import classes from "./submit.module.css";
import { TextField } from "./TextField";
import { useHeldMode } from "./useHeldMode";

const modes: readonly { value: GpuMode; label: string }[] = [
  { value: "none", label: "None" },
  { value: "whole", label: "Whole" },
  { value: "share", label: "Share" },
  { value: "memory", label: "By memory" },
  { value: "mig", label: "MIG" },
];

const GPU_FIELDS = ["gpus", "gpu_memory", "mig"] as const;

const begins: Record<GpuMode, Partial<Record<(typeof GPU_FIELDS)[number], Plain>>> = {
  none: {},
  whole: { gpus: 1 },
  share: { gpus: 0.5 },
  memory: { gpu_memory: "20GiB" },
  mig: { mig: { profile: "1g.10gb", count: 1 } },
};

const hints: Record<GpuMode, string> = {
  none: "It runs on CPUs alone.",
  whole: "Each replica has them for itself.",
  share: "A part of one device; others may use the rest.",
  memory: "A share of one device with at least this much of its memory.",
  mig: "Instances that the device itself keeps apart.",
};

const isolations = [
  { value: "none", label: "None" },
  { value: "mps", label: "MPS" },
  { value: "mig", label: "MIG" },
] as const;

type Isolation = (typeof isolations)[number]["value"];

const isolationHints: Record<Isolation, string> = {
  none: "Those on the device take turns, and share its memory.",
  mps: "Each has its part of threads and memory, on nodes where MPS runs.",
  mig: "It is a MIG instance of at least this size, which nobody else can reach.",
};

export function GpuFields() {
  const form = useForm();
  const { mode, hold } = useHeldMode(gpuModeOf(form.document));

  function choose(next: GpuMode) {
    const begin = begins[next];
    form.setAll([
      ...GPU_FIELDS.map(
        (field) => [["resources", field], begin[field]] as [string[], Plain | undefined],
      ),
      ...(next === "none"
        ? ([[["resources", "gpu_type"], undefined]] as [string[], undefined][])
        : []),
      ...(next === "share" || next === "memory"
        ? []
        : ([[["resources", "isolation"], undefined]] as [string[], undefined][])),
    ]);
  }

  return (
    <>
      <ChoiceField
        label="GPUs"
        value={mode}
        options={modes}
        onChange={choose}
        hint={hints[mode]}
        fault={mode === "none" ? faultOf(form, "resources.gpus") : undefined}
      />
      {mode === "whole" && (
        <div className={classes.two} {...hold}>
          <TextField path={["resources", "gpus"]} label="GPUs for each replica" numeric />
          <TextField
            path={["resources", "gpu_memory"]}
            label="Memory of each, at least"
            placeholder="Any"
          />
        </div>
      )}
      {mode === "share" && (
        <div className={classes.two} {...hold}>
          <TextField
            path={["resources", "gpus"]}
            label="Share of a GPU"
            description="Between 0 and 1: a quarter is 0.25."
            numeric
          />
        </div>
      )}
      {mode === "memory" && (
        <div className={classes.two} {...hold}>
          <TextField path={["resources", "gpu_memory"]} label="GPU memory" placeholder="20GiB" />
        </div>
      )}
      {mode === "mig" && (
        <div className={classes.two} {...hold}>
          <MigFields />
        </div>
      )}
      {(mode === "share" || mode === "memory") && <IsolationField />}
      {mode !== "none" && <TypeField />}
    </>
  );
}

/** What keeps those apart who share a device. */
function IsolationField() {
  const form = useForm();
  const path = ["resources", "isolation"];
  const written = textAt(form.document, path);
  const value = isolations.find((each) => each.value === written)?.value ?? "none";
  return (
    <ChoiceField
      label="Isolation"
      id={fieldId("resources.isolation")}
      value={value}
      options={isolations}
      onChange={(next) => form.set(path, next === "none" ? undefined : next)}
      hint={isolationHints[value]}
      fault={faultOf(form, "resources.isolation")}
    />
  );
}

function MigFields() {
  const form = useForm();
  const profile = { label: "MIG profile", placeholder: "1g.10gb" };
  if (!isMapAt(form.document, ["resources", "mig"])) {
    return <TextField path={["resources", "mig"]} {...profile} />;
  }
  return (
    <>
      <TextField path={["resources", "mig", "profile"]} {...profile} />
      <TextField path={["resources", "mig", "count"]} label="Instances" numeric />
    </>
  );
}

/** The types that the cluster has, with how many are free; several may do. */
function TypeField() {
  const form = useForm();
  const { data: nodes } = useAllNodes();
  const path = ["resources", "gpu_type"];
  const chosen = textsAt(form.document, path);
  const rooms = useMemo(() => roomByType(nodes ?? []), [nodes]);
  if (chosen === null) return <InYaml field="resources.gpu_type" label="GPU type" />;
  const strange = chosen.filter((type) => !rooms.some((room) => isAlike(room.type, type)));
  const fault = faultOf(form, "resources.gpu_type", { deep: true });

  function toggle(type: string) {
    const held = chosen ?? [];
    const without = held.filter((each) => !isAlike(each, type));
    const next = without.length < held.length ? without : [...held, type];
    if (next.length === 0) form.set(path, undefined);
    else form.set(path, next.length === 1 && !isListAt(form.document, path) ? next[0] : next);
  }

  return (
    <fieldset className={classes.types} id={fieldId("resources.gpu_type")} tabIndex={-1}>
      <legend className={classes.label}>GPU type</legend>
      <Type name="Any" checked={chosen.length === 0} onChange={() => form.set(path, undefined)} />
      {rooms.map(({ type, free, total }) => (
        <Type
          key={type}
          name={type}
          note={total > 0 ? `${free} of ${counted(total, "GPU")} free` : "in MIG mode"}
          checked={chosen.some((each) => isAlike(each, type))}
          onChange={() => toggle(type)}
        />
      ))}
      {strange.map((type) => (
        <Type key={type} name={type} note="not here now" checked onChange={() => toggle(type)} />
      ))}
      {fault && <p className={classes.fault}>{fault}</p>}
    </fieldset>
  );
}

interface TypeProps {
  name: string;
  note?: string;
  checked: boolean;
  onChange: () => void;
}

function Type({ name, note, checked, onChange }: TypeProps) {
  return (
    <label className={classes.type}>
      <input type="checkbox" checked={checked} onChange={onChange} />
      <span className={classes.typeName}>{name}</span>
      {note && <span className={classes.typeNote}>{note}</span>}
    </label>
  );
}

function isAlike(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}
