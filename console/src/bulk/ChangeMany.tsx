/** Gives many workloads another priority or more time. */
import { Button, Modal, TextInput } from "@mantine/core";
import { useState } from "react";
import { faultAt } from "../api/problem";
import type { WorkloadChange } from "../api/types";
import { counted } from "../quantity/words";
import { type Outcome, useBulkAction } from "./actions";
import classes from "./bulk.module.css";
import type { Selection } from "./selection";
import { filtersInWords, namesInWords } from "./words";

interface Props {
  what: "priority" | "time";
  selection: Selection;
  onClose: () => void;
  onDone: (outcome: Outcome) => void;
}

const offered = {
  priority: ["0", "25", "50", "75", "100"],
  time: ["4h", "12h", "1d", "3d", "none"],
} as const;

const words = {
  priority: {
    title: "Change priority of",
    label: "New priority",
    description: "From 0 to 100. Of what waits, higher starts first.",
    button: "Change priority",
  },
  time: {
    title: "Extend time of",
    label: "New time limit",
    description: "How long each may run in all, counted from its start. “none” takes it away.",
    button: "Set time limit",
  },
} as const;

export function ChangeMany({ what, selection, onClose, onDone }: Props) {
  const { title, label, description, button } = words[what];
  const [text, setText] = useState("");
  const [tried, setTried] = useState(false);
  const act = useBulkAction();
  const fault = faultIn(what, text.trim());
  const refused =
    faultAt(act.error, what === "priority" ? "change.priority" : "change.max_runtime") ??
    act.error?.message;
  return (
    <Modal
      opened
      onClose={onClose}
      title={`${title} ${counted(selection.count, "workload")}`}
      centered
      size={440}
      padding={20}
      classNames={{ title: classes.title }}
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <form
        className={classes.form}
        onSubmit={(event) => {
          event.preventDefault();
          setTried(true);
          if (fault) return;
          act.mutate(
            {
              action: { action: "change", change: changeOf(what, text.trim()), reason: "" },
              selection,
            },
            { onSuccess: onDone },
          );
        }}
      >
        <p className={classes.names}>
          {selection.all
            ? filtersInWords(selection.filters)
            : namesInWords(selection.rows.values())}
          . Those that have ended stay as they are.
        </p>
        <TextInput
          label={label}
          description={description}
          placeholder={what === "priority" ? "75" : "12h"}
          inputMode={what === "priority" ? "numeric" : "text"}
          value={text}
          error={(tried && fault) || refused}
          data-autofocus
          onChange={(event) => {
            setText(event.currentTarget.value);
            act.reset();
          }}
        />
        <div className={classes.offered}>
          {offered[what].map((value) => (
            <button
              key={value}
              type="button"
              className={classes.offer}
              aria-pressed={text.trim() === value}
              onClick={() => setText(value)}
            >
              {value === "none" ? "No limit" : value}
            </button>
          ))}
        </div>
        <div className={classes.actions}>
          <Button variant="default" onClick={onClose}>
            Leave as {selection.count === 1 ? "it is" : "they are"}
          </Button>
          <Button type="submit" loading={act.isPending}>
            {button}
          </Button>
        </div>
      </form>
    </Modal>
  );
}

export function faultIn(what: Props["what"], text: string): string | null {
  if (what === "priority") {
    const isPriority = /^\d{1,3}$/.test(text) && Number(text) <= 100;
    return isPriority ? null : "Give a whole number from 0 to 100.";
  }
  const isTime = text === "none" || /^(\d+(\.\d+)?\s*(s|m|h|d|w))+$/.test(text);
  return isTime ? null : "Give a duration such as 90m, 12h or 2d, or “none”.";
}

function changeOf(what: Props["what"], text: string): WorkloadChange {
  return what === "priority" ? { priority: Number(text) } : { max_runtime: text };
}
