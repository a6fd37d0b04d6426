/** How the console looks in this browser: colours, row height, and the zone that times are told in. */
import { type MantineColorScheme, SegmentedControl, useMantineColorScheme } from "@mantine/core";
import { useId } from "react";
import { schemeChoices, zoneChoices } from "../frame/AccountMenu";
import { densitySetting } from "../theme/density";
import { useClock } from "../time/clock";
import { clockInWords } from "../time/words";
import { useTimeZone, zoneSetting } from "../time/zone";
import classes from "./account.module.css";
import { Section } from "./Section";

export function Appearance() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const density = densitySetting.use();
  const zone = zoneSetting.use();
  return (
    <Section title="Appearance" sentence="Kept by this browser, for this computer.">
      <Choice
        label="Colours"
        value={colorScheme}
        choices={schemeChoices}
        onChange={(value) => setColorScheme(value as MantineColorScheme)}
      />
      <Choice
        label="Rows"
        value={density}
        choices={[
          { value: "compact", label: "Compact" },
          { value: "comfortable", label: "Comfortable" },
        ]}
        onChange={(value) => densitySetting.set(value as "compact" | "comfortable")}
      />
      <Choice
        label="Times"
        value={zone}
        choices={zoneChoices}
        onChange={(value) => zoneSetting.set(value as "browser" | "utc")}
        note={<Now />}
      />
    </Section>
  );
}

function Now() {
  const zone = useTimeZone();
  const now = useClock((nowMs) => clockInWords(new Date(nowMs).toISOString(), zone));
  return (
    <>
      {zone}, now {now}
    </>
  );
}

interface ChoiceProps {
  label: string;
  value: string;
  choices: readonly { value: string; label: string }[];
  onChange: (value: string) => void;
  note?: React.ReactNode;
}

function Choice({ label, value, choices, onChange, note }: ChoiceProps) {
  const id = useId();
  return (
    <div className={classes.choice}>
      <span id={id}>{label}</span>
      <SegmentedControl
        aria-labelledby={id}
        size="xs"
        value={value}
        data={[...choices]}
        onChange={onChange}
      />
      {note && <span className={classes.choiceNote}>{note}</span>}
    </div>
  );
}
