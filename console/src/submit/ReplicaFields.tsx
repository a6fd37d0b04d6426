/** How many: one, a gang that starts together, a gang that grows, or an array of tasks. */
import { ChoiceField } from "./ChoiceField";
import { faultOf, useForm } from "./form";
import { InYaml } from "./InYaml";
import { isMapAt, isSetAt, type Plain, textAt } from "./specText";
import classes from "./submit.module.css";
import { TextField } from "./TextField";
import { useHeldMode } from "./useHeldMode";

type Mode = "one" | "gang" | "elastic" | "array";

const modes: readonly { value: Mode; label: string }[] = [
  { value: "one", label: "One" },
  { value: "gang", label: "Gang" },
  { value: "elastic", label: "Elastic gang" },
  { value: "array", label: "Array" },
];

const hints: Record<Mode, string> = {
  one: "One process, or one that starts its own.",
  gang: "Replicas that start together or not at all.",
  elastic: "Starts with as many replicas as there is room for, between two numbers.",
  array: "Tasks that start and end each for itself.",
};

const begins: Record<Mode, [replicas: Plain | undefined, array: Plain | undefined]> = {
  one: [undefined, undefined],
  gang: [2, undefined],
  elastic: [{ min: 1, max: 4 }, undefined],
  array: [undefined, 10],
};

export function ReplicaFields() {
  const form = useForm();
  const { document } = form;
  const found: Mode = isSetAt(document, ["array"])
    ? "array"
    : isMapAt(document, ["replicas"])
      ? "elastic"
      : isSetAt(document, ["replicas"])
        ? "gang"
        : "one";
  const { mode, hold } = useHeldMode(found);
  if (isSetAt(document, ["groups"])) {
    return <InYaml field="groups" label="Groups of unlike replicas" />;
  }

  function choose(next: Mode) {
    const [replicas, array] = begins[next];
    const held = textAt(document, ["replicas"]) ?? "";
    const max = /^[1-9]\d*$/.test(held) ? Number(held) : 4;
    form.setAll([
      [["array"], array],
      [["replicas"], next === "elastic" ? { min: 1, max } : replicas],
    ]);
  }

  return (
    <>
      <ChoiceField
        label="Replicas"
        value={mode}
        options={modes}
        onChange={choose}
        hint={hints[mode]}
        fault={mode === "elastic" ? faultOf(form, "replicas") : undefined}
      />
      {mode === "gang" && (
        <div className={classes.two} {...hold}>
          <TextField path={["replicas"]} label="How many replicas" numeric />
        </div>
      )}
      {mode === "elastic" && (
        <div className={classes.two} {...hold}>
          <TextField path={["replicas", "min"]} label="At least" numeric />
          <TextField path={["replicas", "max"]} label="At most" numeric />
        </div>
      )}
      {mode === "array" && (
        <div className={classes.two} {...hold}>
          <TextField path={["array"]} label="How many tasks" numeric />
          {isSetAt(document, ["replicas"]) && (
            <TextField path={["replicas"]} label="Replicas" numeric />
          )}
        </div>
      )}
    </>
  );
}
