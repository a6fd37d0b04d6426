/** One of a few, each in words. */
import { Radio } from "@mantine/core";
import classes from "./budgets.module.css";

interface Props<Value extends string> {
  label: string;
  description?: string;
  name: string;
  choices: Record<Value, string>;
  value: Value;
  onChange: (value: Value) => void;
}

export function ChoiceRadios<Value extends string>(props: Props<Value>) {
  const { label, description, name, choices, value, onChange } = props;
  return (
    <Radio.Group
      label={label}
      description={description}
      name={name}
      value={value}
      onChange={(next) => onChange(next as Value)}
    >
      <div className={classes.radios}>
        {(Object.entries(choices) as [Value, string][]).map(([key, words]) => (
          <Radio key={key} value={key} label={words} size="xs" />
        ))}
      </div>
    </Radio.Group>
  );
}
