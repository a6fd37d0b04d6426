/** One filter of the bar: a button that opens a list of choices, with what is chosen on it. */
import { Menu } from "@mantine/core";
import type { ReactNode } from "react";
import { ChevronIcon } from "../frame/icons";
import classes from "./workloads.module.css";

interface Props<Value extends string> {
  label: string;
  options: readonly Value[];
  chosen: readonly Value[];
  onChange: (chosen: Value[]) => void;
  name?: (value: Value) => string;
  show?: (value: Value) => ReactNode;
}

export function FilterMenu<Value extends string>(props: Props<Value>) {
  const { label, options, chosen, onChange } = props;
  const name = props.name ?? String;
  function toggle(value: Value) {
    const without = chosen.filter((each) => each !== value);
    onChange(chosen.includes(value) ? without : [...without, value]);
  }
  return (
    <Menu position="bottom-start" shadow="none" width={192}>
      <Menu.Target>
        <button type="button" className={classes.filter} data-on={chosen.length > 0 || undefined}>
          <span className={classes.filterLabel}>{label}</span>
          {chosen.length > 0 && (
            <span className={classes.filterChosen}>{chosen.map(name).join(", ")}</span>
          )}
          <ChevronIcon />
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        {options.map((value) => (
          <Menu.CheckboxItem
            key={value}
            checked={chosen.includes(value)}
            onChange={() => toggle(value)}
          >
            {props.show ? props.show(value) : name(value)}
          </Menu.CheckboxItem>
        ))}
        {options.length === 0 && <Menu.Label>None to choose from</Menu.Label>}
        {chosen.length > 0 && (
          <>
            <Menu.Divider />
            <Menu.Item onClick={() => onChange([])}>Clear</Menu.Item>
          </>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
