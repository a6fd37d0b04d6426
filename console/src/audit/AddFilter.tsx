/** Adds a filter by who it was, what it was done to, where it came from, or two moments. */
import { Button, Popover, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { PlusIcon } from "../frame/icons";
import { zoneSetting } from "../time/zone";
import bar from "../workloads/workloads.module.css";
import type { AuditChange, TextFilter } from "./search";

type Field = Exclude<TextFilter, "action"> | "between";

const asked: Record<Field, { name: string; label: string; placeholder: string }> = {
  actor: { name: "Who", label: "Username", placeholder: "ana" },
  subject: { name: "To", label: "Name or id of the thing", placeholder: "w-06h0asr28ryv7a37" },
  source: { name: "From", label: "Address", placeholder: "10.0.0.7" },
  request: { name: "Request", label: "The request’s id", placeholder: "X-Request-ID" },
  between: { name: "Between two times", label: "", placeholder: "" },
};

export function AddFilter({ onChange }: { onChange: (next: AuditChange) => void }) {
  const [open, setOpen] = useState(false);
  const [field, setField] = useState<Field | null>(null);
  const turn = (next: boolean) => {
    setOpen(next);
    setField(null);
  };
  const apply = (next: AuditChange) => {
    turn(false);
    onChange(next);
  };
  return (
    <Popover
      opened={open}
      onChange={turn}
      position="bottom-start"
      width={248}
      trapFocus
      returnFocus
    >
      <Popover.Target>
        <button type="button" className={bar.add} onClick={() => turn(!open)}>
          <PlusIcon />
          Filter
        </button>
      </Popover.Target>
      <Popover.Dropdown className={bar.adding} aria-label="Add a filter">
        {field === null && (
          <ul className={bar.choices}>
            {(Object.keys(asked) as Field[]).map((each, at) => (
              <li key={each}>
                <button
                  type="button"
                  className={bar.choice}
                  data-autofocus={at === 0 || undefined}
                  onClick={() => setField(each)}
                >
                  {asked[each].name}
                </button>
              </li>
            ))}
          </ul>
        )}
        {field === "between" && <BetweenForm onApply={apply} />}
        {field !== null && field !== "between" && <TextForm field={field} onApply={apply} />}
      </Popover.Dropdown>
    </Popover>
  );
}

interface FormProps {
  onApply: (next: AuditChange) => void;
}

function TextForm({ field, onApply }: FormProps & { field: Exclude<Field, "between"> }) {
  const [text, setText] = useState("");
  const [tried, setTried] = useState(false);
  function submit(event: FormEvent) {
    event.preventDefault();
    setTried(true);
    if (text.trim()) onApply({ [field]: text.trim() });
  }
  return (
    <form className={bar.addForm} onSubmit={submit}>
      <TextInput
        label={asked[field].label}
        placeholder={asked[field].placeholder}
        value={text}
        error={tried && !text.trim() ? "Write what to look for." : null}
        ref={(input) => input?.focus()}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      <Button type="submit">Add filter</Button>
    </form>
  );
}

function BetweenForm({ onApply }: FormProps) {
  const utc = zoneSetting.use() === "utc";
  const [from, setFrom] = useState("");
  const [to, setTo] = useState("");
  const [tried, setTried] = useState(false);
  const [start, end] = [momentOf(from, utc), momentOf(to, utc)];
  const backwards = start !== null && end !== null && start >= end;
  function submit(event: FormEvent) {
    event.preventDefault();
    setTried(true);
    if (start && end && !backwards) onApply({ range: undefined, from: start, to: end });
  }
  return (
    <form className={bar.addForm} onSubmit={submit} noValidate>
      <TextInput
        type="datetime-local"
        label={utc ? "From (UTC)" : "From"}
        value={from}
        error={tried && !start ? "Choose a day and a time." : null}
        ref={(input) => {
          if (document.activeElement?.tagName !== "INPUT") input?.focus();
        }}
        onChange={(event) => setFrom(event.currentTarget.value)}
      />
      <TextInput
        type="datetime-local"
        label={utc ? "Until (UTC)" : "Until"}
        value={to}
        error={
          tried && !end
            ? "Choose a day and a time."
            : tried && backwards
              ? "Choose a time after the first."
              : null
        }
        onChange={(event) => setTo(event.currentTarget.value)}
      />
      <Button type="submit">Add filter</Button>
    </form>
  );
}

/** What the field has, in one's own zone, as ISO 8601 in UTC; null while it has nothing. */
function momentOf(text: string, utc: boolean): string | null {
  const at = Date.parse(utc ? `${text}Z` : text);
  return Number.isNaN(at) ? null : new Date(at).toISOString().replace(".000", "");
}
