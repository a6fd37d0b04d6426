/** A field of the spec that is a map of names to texts, a row for each. */
import { Button, TextInput } from "@mantine/core";
import { type ReactNode, useRef, useState } from "react";
import { IconButton } from "../frame/IconButton";
import { CloseIcon } from "../frame/icons";
import { faultOf, fieldId, plainOf, useForm } from "./form";
import { InYaml } from "./InYaml";
import { entriesAt, type Path } from "./specText";
import classes from "./submit.module.css";

interface Props {
  path: Path;
  label: string;
  description?: ReactNode;
  /** What a row is: "Variable". */
  each: string;
  nameHint: string;
  valueHint: string;
}

interface Row {
  id: number;
  name: string;
  value: string;
}

export function PairsField(props: Props) {
  const { path, label, description, each, nameHint, valueHint } = props;
  const form = useForm();
  const field = path.join(".");
  const entries = entriesAt(form.document, path);
  const [rows, setRows] = useRows(entries ?? []);
  const lastRef = useRef<HTMLInputElement>(null);
  if (entries === null) return <InYaml field={field} label={label} />;
  const named = new Set(entries.map(([name]) => name));

  function nameWrite(row: Row, name: string) {
    setRows(rows.map((other) => (other.id === row.id ? { ...row, name } : other)));
    const isWritten = isOwn(rows, row, named);
    if (name === "" || rows.some((other) => other.id !== row.id && other.name === name)) {
      if (isWritten) form.set([...path, row.name], undefined);
    } else if (isWritten) form.rename([...path, row.name], name);
    else form.set([...path, name], plainOf(row.value));
  }

  function valueWrite(row: Row, value: string) {
    setRows(rows.map((other) => (other.id === row.id ? { ...row, value } : other)));
    if (isOwn(rows, row, named)) form.set([...path, row.name], plainOf(value));
  }

  function remove(row: Row) {
    setRows(rows.filter((other) => other.id !== row.id));
    if (isOwn(rows, row, named)) form.set([...path, row.name], undefined);
  }

  function add() {
    setRows([...rows, { id: nextId(), name: "", value: "" }]);
    // The row is there with the next drawing.
    setTimeout(() => lastRef.current?.focus());
  }

  return (
    <fieldset className={classes.rows} id={fieldId(field)} tabIndex={-1}>
      <legend className={classes.label}>{label}</legend>
      {description && <span className={classes.hint}>{description}</span>}
      {rows.map((row, at) => {
        const isTwice = rows.findIndex((other) => other.name === row.name) < at && row.name !== "";
        const fault = isTwice
          ? "Is there twice. Give one of them another name."
          : row.name === "" && row.value !== ""
            ? "Give it a name."
            : row.name && faultOf(form, `${field}.${row.name}`);
        const of = row.name || `${each.toLowerCase()} ${at + 1}`;
        return (
          <div key={row.id} className={classes.row}>
            <TextInput
              id={row.name ? fieldId(`${field}.${row.name}`) : `${fieldId(field)}-${row.id}`}
              ref={at === rows.length - 1 ? lastRef : null}
              aria-label={`${each} ${at + 1}, name`}
              placeholder={nameHint}
              classNames={{ input: classes.mono }}
              spellCheck={false}
              autoComplete="off"
              value={row.name}
              error={fault || undefined}
              onChange={(event) => nameWrite(row, event.currentTarget.value)}
            />
            <TextInput
              aria-label={`${each} ${at + 1}, value`}
              placeholder={valueHint}
              classNames={{ input: classes.mono }}
              spellCheck={false}
              autoComplete="off"
              value={row.value}
              onChange={(event) => valueWrite(row, event.currentTarget.value)}
            />
            <IconButton label={`Remove ${of}`} onClick={() => remove(row)}>
              <CloseIcon />
            </IconButton>
          </div>
        );
      })}
      {faultOf(form, field) && <p className={classes.fault}>{faultOf(form, field)}</p>}
      <div>
        <Button variant="default" onClick={add}>
          Add {each.toLowerCase()}
        </Button>
      </div>
    </fieldset>
  );
}

let lastId = 0;

function nextId(): number {
  lastId += 1;
  return lastId;
}

/** Whether a row is the one that stands in the YAML: the first of its name. */
function isOwn(rows: readonly Row[], row: Row, named: ReadonlySet<string>): boolean {
  return named.has(row.name) && rows.find(({ name }) => name === row.name)?.id === row.id;
}

/** The entries as rows, together with rows that are not ready to be written. */
function useRows(entries: readonly [string, string][]): [Row[], (rows: Row[]) => void] {
  const [rows, setRows] = useState<Row[]>(() => rowsOf([], entries));
  const isWritten = JSON.stringify(writtenOf(rows)) === JSON.stringify(entries);
  const shown = isWritten ? rows : rowsOf(rows, entries);
  if (shown !== rows) setRows(shown);
  return [shown, setRows];
}

function writtenOf(rows: readonly Row[]): [string, string][] {
  return rows
    .filter(({ name }, at) => name !== "" && rows.findIndex((each) => each.name === name) === at)
    .map(({ name, value }) => [name, value]);
}

function rowsOf(rows: readonly Row[], entries: readonly [string, string][]): Row[] {
  const unready = rows.filter(
    ({ name }, at) => name === "" || rows.findIndex((each) => each.name === name) < at,
  );
  const written = entries.map(([name, value]) => ({
    id: rows.find((each) => each.name === name)?.id ?? nextId(),
    name,
    value,
  }));
  return [...written, ...unready];
}
