/** One of a few ways, each with a sentence. */
import { Radio } from "@mantine/core";
import sso from "./sso.module.css";

interface Props<Name extends string> {
  label: string;
  choices: Record<Name, { label: string; about: string }>;
  value: Name;
  onChange: (name: Name) => void;
  error: string | null;
}

export function Choices<Name extends string>({
  label,
  choices,
  value,
  onChange,
  error,
}: Props<Name>) {
  return (
    <Radio.Group
      label={label}
      value={value}
      error={error}
      onChange={(next) => onChange(next as Name)}
    >
      <div className={sso.choices}>
        {Object.entries<{ label: string; about: string }>(choices).map(([name, each]) => (
          <Radio key={name} size="xs" value={name} label={each.label} description={each.about} />
        ))}
      </div>
    </Radio.Group>
  );
}
