/** Gives many workloads another priority or more time. */
import { Button, TextInput } from "@mantine/core";
import { useState } from "react";
import { faultAt } from "../api/problem";
import type { WorkloadChange } from "../api/types";
import { Dialog, DialogActions, dialogBody, Offers } from "../frame/Dialog";
import { counted } from "../quantity/words";
import { priorities, priorityFault } from "../workloads/priority";
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
  priority: priorities,
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
    <Dialog title={`${title} ${counted(selection.count, "workload")}`} onClose={onClose}>
      <form
        className={dialogBody}
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
        <Offers
          values={offered[what]}
          chosen={text.trim()}
          onChoose={setText}
          said={(value) => (value === "none" ? "No limit" : value)}
        />
        <DialogActions>
          <Button variant="default" onClick={onClose}>
            Leave as {selection.count === 1 ? "it is" : "they are"}
          </Button>
          <Button type="submit" loading={act.isPending}>
            {button}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

export function faultIn(what: Props["what"], text: string): string | null {
  if (what === "priority") return priorityFault(text);
  const isTime = text === "none" || /^(\d+(\.\d+)?\s*(s|m|h|d|w))+$/.test(text);
  return isTime ? null : "Give a duration such as 90m, 12h or 2d, or “none”.";
}

function changeOf(what: Props["what"], text: string): WorkloadChange {
  return what === "priority" ? { priority: Number(text) } : { max_runtime: text };
}
