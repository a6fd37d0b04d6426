/** A field of the spec with a few known words, as buttons in a row. */
import { SegmentedControl } from "@mantine/core";
import type { ReactNode } from "react";
import { useId } from "react";
import classes from "./submit.module.css";

interface Props<Value extends string> {
  label: string;
  value: Value;
  options: readonly { value: Value; label: ReactNode }[];
  onChange: (value: Value) => void;
  id?: string;
  hint?: ReactNode;
  fault?: string | undefined;
  /** Label and choice on one line, above the field that they choose. */
  row?: boolean;
}

export function ChoiceField<Value extends string>(props: Props<Value>) {
  const { label, value, options, onChange, id, hint, fault, row = false } = props;
  const labelId = useId();
  return (
    <div className={classes.field} data-row={row || undefined}>
      <span id={labelId} className={classes.label}>
        {label}
      </span>
      <div className={classes.sideways}>
        <SegmentedControl
          id={id ?? ""}
          size="xs"
          withItemsBorders={false}
          classNames={{ label: classes.segment ?? "" }}
          aria-labelledby={labelId}
          data={options.map((each) => ({ value: each.value, label: each.label }))}
          value={value}
          onChange={(next) => onChange(next as Value)}
        />
      </div>
      {hint && <span className={classes.hint}>{hint}</span>}
      {fault && <p className={classes.fault}>{fault}</p>}
    </div>
  );
}
