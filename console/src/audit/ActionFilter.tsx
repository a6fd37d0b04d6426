/** Chooses an action, or all of a resource, from those that occur in the trail. */
import { Popover, TextInput } from "@mantine/core";
import { useState } from "react";
import { ChevronIcon } from "../frame/icons";
import bar from "../workloads/workloads.module.css";
import classes from "./audit.module.css";
import { useActions } from "./queries";
import { actionInWords, resourceInWords } from "./words";

interface Props {
  chosen: string | undefined;
  onChange: (action: string | undefined) => void;
}

export function ActionFilter({ chosen, onChange }: Props) {
  const [open, setOpen] = useState(false);
  const choose = (action: string | undefined) => {
    setOpen(false);
    onChange(action);
  };
  return (
    <Popover
      opened={open}
      onChange={setOpen}
      position="bottom-start"
      width={336}
      trapFocus
      returnFocus
    >
      <Popover.Target>
        <button
          type="button"
          className={bar.filter}
          data-on={chosen !== undefined || undefined}
          onClick={() => setOpen(!open)}
        >
          <span className={bar.filterLabel}>Action</span>
          {chosen && <span className={bar.filterChosen}>{chosenInWords(chosen)}</span>}
          <ChevronIcon />
        </button>
      </Popover.Target>
      <Popover.Dropdown className={bar.adding} aria-label="Choose an action">
        <ActionChoices chosen={chosen} onChoose={choose} />
      </Popover.Dropdown>
    </Popover>
  );
}

function ActionChoices({
  chosen,
  onChoose,
}: {
  chosen: string | undefined;
  onChoose: (action: string | undefined) => void;
}) {
  const actions = useActions();
  const [text, setText] = useState("");
  const choices = choicesOf(actions.data?.items ?? []).filter(
    ({ value, name }) =>
      name.toLowerCase().includes(text.toLowerCase()) || value.includes(text.toLowerCase()),
  );
  return (
    <>
      <TextInput
        size="xs"
        aria-label="Search actions"
        placeholder="Quota, sign-in, …"
        className={classes.choiceSearch}
        value={text}
        data-autofocus
        onChange={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter" && choices[0]) onChoose(choices[0].value);
        }}
      />
      <ul className={classes.choices}>
        {choices.map(({ value, name, inside }) => (
          <li key={value}>
            <button
              type="button"
              className={bar.choice}
              data-inside={inside || undefined}
              aria-pressed={chosen === value}
              onClick={() => onChoose(chosen === value ? undefined : value)}
            >
              <span>{name}</span>
              <code>{value}</code>
            </button>
          </li>
        ))}
        {choices.length === 0 && (
          <li className={bar.choiceNone}>
            {actions.isPending ? "Loading …" : (actions.error?.message ?? "None such was done yet")}
          </li>
        )}
      </ul>
    </>
  );
}

interface Choice {
  value: string;
  name: string;
  /** Below its resource. */
  inside: boolean;
}

/** A resource stands above its actions where there are several. */
export function choicesOf(actions: readonly string[]): Choice[] {
  const resources = new Map<string, string[]>();
  for (const each of actions) {
    const resource = each.includes(":") ? (each.split(":")[0] ?? each) : each;
    resources.set(resource, [...(resources.get(resource) ?? []), each]);
  }
  return [...resources].flatMap(([resource, those]) => {
    const several = those.length > 1;
    const found = those.map((value) => ({ value, name: actionInWords(value), inside: several }));
    const all = {
      value: `${resource}:`,
      name: `All of ${resourceInWords(resource)}`,
      inside: false,
    };
    return several ? [all, ...found] : found;
  });
}

export function chosenInWords(action: string): string {
  return action.endsWith(":")
    ? `All of ${resourceInWords(action.slice(0, -1))}`
    : actionInWords(action);
}
