/** Adds a filter by owner, label, node, project or time of end. */
import { Button, Popover, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { PlusIcon } from "../frame/icons";
import { useProjectNames } from "../projects/queries";
import type { FilterChange, WorkloadFilters } from "./filters";
import { sinceInWords } from "./since";
import classes from "./workloads.module.css";

type Field = "owner" | "label" | "node" | "project" | "ended_since";

const asked: Record<Field, { name: string; label: string; placeholder: string }> = {
  owner: { name: "Owner", label: "Username", placeholder: "ana" },
  label: { name: "Label", label: "Key and value", placeholder: "team=vision" },
  node: { name: "Node", label: "Name of the node", placeholder: "gpu-01" },
  project: { name: "Project", label: "Project", placeholder: "" },
  ended_since: { name: "Ended", label: "Ended", placeholder: "" },
};

const spans = ["1h", "today", "24h", "7d", "30d"];

interface Props {
  filters: WorkloadFilters;
  onChange: (change: FilterChange) => void;
}

export function AddFilter({ filters, onChange }: Props) {
  const [open, setOpen] = useState(false);
  const [field, setField] = useState<Field | null>(null);
  const turn = (next: boolean) => {
    setOpen(next);
    setField(null);
  };
  const apply = (change: FilterChange) => {
    turn(false);
    onChange(change);
  };
  return (
    <Popover
      opened={open}
      onChange={turn}
      position="bottom-start"
      width={224}
      trapFocus
      returnFocus
      shadow="none"
    >
      <Popover.Target>
        <button type="button" className={classes.add} onClick={() => turn(!open)}>
          <PlusIcon />
          Filter
        </button>
      </Popover.Target>
      <Popover.Dropdown className={classes.adding} aria-label="Add a filter">
        {field === null && (
          <Choices
            // Starts anew, so that the focus is on its first choice.
            values={Object.keys(asked) as Field[]}
            name={(each) => asked[each].name}
            onChoose={setField}
          />
        )}
        {field === "project" && (
          <ProjectChoices
            chosen={filters.project ?? []}
            onChoose={(each) => apply({ project: [...(filters.project ?? []), each] })}
          />
        )}
        {field === "ended_since" && (
          <Choices
            values={spans}
            name={sinceInWords}
            onChoose={(each) => apply({ ended_since: each })}
          />
        )}
        {(field === "owner" || field === "label" || field === "node") && (
          <TextFilter key={field} field={field} filters={filters} onApply={apply} />
        )}
      </Popover.Dropdown>
    </Popover>
  );
}

interface ChoicesProps<Value extends string> {
  values: readonly Value[];
  name: (value: Value) => string;
  onChoose: (value: Value) => void;
}

function Choices<Value extends string>({ values, name, onChoose }: ChoicesProps<Value>) {
  return (
    <ul className={classes.choices}>
      {values.map((value, at) => (
        <li key={value}>
          <button
            type="button"
            className={classes.choice}
            data-autofocus={at === 0 || undefined}
            onClick={() => onChoose(value)}
          >
            {name(value)}
          </button>
        </li>
      ))}
      {values.length === 0 && <li className={classes.choiceNone}>None to choose from</li>}
    </ul>
  );
}

function ProjectChoices(props: { chosen: readonly string[]; onChoose: (name: string) => void }) {
  const names = useProjectNames().filter((each) => !props.chosen.includes(each));
  return <Choices values={names} name={String} onChoose={props.onChoose} />;
}

interface TextProps {
  field: "owner" | "label" | "node";
  filters: WorkloadFilters;
  onApply: (change: FilterChange) => void;
}

function TextFilter({ field, filters, onApply }: TextProps) {
  const [text, setText] = useState("");
  const [tried, setTried] = useState(false);
  const fault = faultIn(field, text.trim());

  function submit(event: FormEvent) {
    event.preventDefault();
    setTried(true);
    const value = text.trim();
    if (fault) return;
    if (field === "label") {
      onApply({ label: [...(filters.label ?? []).filter((each) => each !== value), value] });
    } else onApply({ [field]: value });
  }

  return (
    <form className={classes.addForm} onSubmit={submit}>
      <TextInput
        label={asked[field].label}
        placeholder={asked[field].placeholder}
        value={text}
        error={tried && fault}
        data-autofocus
        ref={(input) => input?.focus()}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      <Button type="submit">Add filter</Button>
    </form>
  );
}

function faultIn(field: TextProps["field"], value: string): string | null {
  if (field === "label") {
    return /^[^=\s]+=\S*$/.test(value) ? null : "A label is written key=value.";
  }
  return value ? null : `Give ${field === "node" ? "the name of a node" : "a username"}.`;
}
