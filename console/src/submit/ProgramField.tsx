/** What runs: one command, or a script of several lines. */
import { Textarea } from "@mantine/core";
import { useState } from "react";
import { ChoiceField } from "./ChoiceField";
import { faultOf, fieldId, plainOf, useForm } from "./form";
import { InYaml } from "./InYaml";
import { isListAt, isSetAt, textAt, textsAt } from "./specText";
import classes from "./submit.module.css";
import { TextField } from "./TextField";

const options = [
  { value: "command", label: "Command" },
  { value: "script", label: "Script" },
] as const;

export function ProgramField() {
  const form = useForm();
  const [asked, setAsked] = useState<"command" | "script">("command");
  const hasCommand = isSetAt(form.document, ["command"]);
  const hasScript = isSetAt(form.document, ["script"]);
  const shown = hasCommand === hasScript ? asked : hasCommand ? "command" : "script";

  function choose(next: "command" | "script") {
    setAsked(next);
    const held = next === "script" ? "command" : "script";
    const text = textAt(form.document, [held]);
    // A script can be any text, but a script of several lines is no command.
    const moves =
      text !== null && text !== "" && (next === "script" || !text.trim().includes("\n"));
    if (hasCommand !== hasScript && moves) {
      form.setAll([
        [[held], undefined],
        [[next], next === "script" ? `${text}\n` : text.trim()],
      ]);
    }
  }

  return (
    <>
      <ChoiceField label="Program" value={shown} options={options} onChange={choose} row />
      {(shown === "command" || hasCommand) && <CommandField />}
      {(shown === "script" || hasScript) && (
        <TextField
          path={["script"]}
          label="Script"
          unlabelled
          description="Run by /bin/sh -e, or by the program that the first line names after #!."
          placeholder={"pip install -r requirements.txt\npython train.py"}
          lines={4}
          mono
          required
        />
      )}
    </>
  );
}

function CommandField() {
  const form = useForm();
  if (!isListAt(form.document, ["command"])) {
    return (
      <TextField
        path={["command"]}
        label="Command"
        unlabelled
        description="Split at spaces and quotes. No shell runs it: for pipes and variables, choose Script."
        placeholder="python train.py --epochs 10"
        mono
        required
      />
    );
  }
  const words = textsAt(form.document, ["command"]);
  if (words === null || words.some((word) => word.includes("\n"))) {
    return <InYaml field="command" label="Command" />;
  }
  return (
    <Textarea
      id={fieldId("command")}
      label="Command, a word on each line"
      description="Taken as it is: no shell runs it."
      classNames={{ input: classes.mono }}
      spellCheck={false}
      autosize
      minRows={2}
      maxRows={16}
      value={words.join("\n")}
      error={faultOf(form, "command", { deep: true })}
      onChange={(event) => {
        const { value } = event.currentTarget;
        form.set(["command"], value === "" ? undefined : value.split("\n").map(plainOf));
      }}
      onBlur={() => form.visit("command")}
    />
  );
}
