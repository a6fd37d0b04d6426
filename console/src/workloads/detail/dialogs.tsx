/** What asks before something happens to a workload: cancel, another priority, more time. */
import { Button, TextInput } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { faultAt } from "../../api/problem";
import type { WorkloadChange, WorkloadDetail } from "../../api/types";
import {
  DestructiveButton,
  Dialog,
  DialogActions,
  DialogFailure,
  dialogBody,
  Offers,
} from "../../frame/Dialog";
import { counted } from "../../quantity/words";
import { durationInWords } from "../../time/words";
import { priorities, priorityFault } from "../priority";
import { useCancel } from "../queries";
import { useChange } from "./useChange";

export type Asked = "cancel" | "priority" | "time";

interface Props {
  workload: WorkloadDetail;
  onClose: () => void;
}

export function AskedDialog({ asked, ...props }: Props & { asked: Asked | null }) {
  if (asked === "cancel") return <CancelDialog {...props} />;
  if (asked === "priority") return <PriorityDialog {...props} />;
  if (asked === "time") return <TimeDialog {...props} />;
  return null;
}

function CancelDialog({ workload, onClose }: Props) {
  const cancel = useCancel(workload.id);
  return (
    <Dialog title={`Cancel ${workload.name}`} onClose={onClose}>
      <div className={dialogBody}>
        <p>{lossInWords(workload)}</p>
        {cancel.isError && <DialogFailure>{cancel.error.message}</DialogFailure>}
        <DialogActions>
          <Button variant="default" onClick={onClose} data-autofocus>
            Keep it
          </Button>
          <DestructiveButton
            loading={cancel.isPending}
            onClick={() => cancel.mutate(undefined, { onSuccess: onClose })}
          >
            Cancel workload
          </DestructiveButton>
        </DialogActions>
      </div>
    </Dialog>
  );
}

export function lossInWords({
  name,
  replicas,
  array,
}: Pick<WorkloadDetail, "name" | "replicas" | "array">): string {
  const live = replicas.running + replicas.starting + replicas.scheduled;
  const waiting =
    replicas.waiting > 0 && live > 0 && array
      ? ` ${counted(replicas.waiting, "task")} that still wait are not started.`
      : "";
  if (live === 0) return `${name} leaves the queue. Nothing of it runs yet.`;
  return `${name} stops, with ${counted(live, array ? "running task" : "replica")}.${waiting} What was written to disk stays; what is only in memory is lost.`;
}

function PriorityDialog({ workload, onClose }: Props) {
  const change = useChange(workload.id);
  const [text, setText] = useState(String(workload.priority));
  const [tried, setTried] = useState(false);
  const fault = priorityFault(text.trim());
  return (
    <Form
      title={`Change priority of ${workload.name}`}
      button="Change priority"
      change={change}
      fields={["priority"]}
      onClose={onClose}
      onSubmit={() => {
        setTried(true);
        return fault ? null : { priority: Number(text) };
      }}
    >
      <TextInput
        label="Priority"
        description={`From 0 to 100, now ${workload.priority}. Of what waits, higher starts first.`}
        inputMode="numeric"
        value={text}
        data-autofocus
        error={(tried && fault) || faultAt(change.error, "priority")}
        onChange={(event) => {
          setText(event.currentTarget.value);
          change.reset();
        }}
      />
      <Offers values={priorities} chosen={text.trim()} onChoose={setText} />
    </Form>
  );
}

const HOUR = 3_600;

function TimeDialog({ workload, onClose }: Props) {
  const change = useChange(workload.id);
  const { max_runtime_seconds: limit, deadline } = workload;
  const [text, setText] = useState(limit ? durationWritten(limit) : "none");
  const [until, setUntil] = useState(deadline ? localWritten(deadline) : "");
  const [tried, setTried] = useState(false);
  const fault = isDuration(text.trim())
    ? null
    : "Give a duration such as 90m, 12h or 2d, or “none”.";
  const offers = limit
    ? [HOUR, 4 * HOUR, 24 * HOUR].map((more) => durationWritten(limit + more))
    : ["4h", "12h", "1d"];
  return (
    <Form
      title={`Extend time of ${workload.name}`}
      button="Set limits"
      change={change}
      fields={["max_runtime", "deadline"]}
      onClose={onClose}
      onSubmit={() => {
        setTried(true);
        if (fault) return null;
        const next: WorkloadChange = {};
        const before = limit ? durationWritten(limit) : "none";
        if (text.trim() !== before) next.max_runtime = text.trim();
        if (until !== (deadline ? localWritten(deadline) : "")) {
          next.deadline = until ? new Date(until).toISOString() : "none";
        }
        return next;
      }}
    >
      <TextInput
        label="Time limit"
        description={`How long it may run, counted from its start; now ${limit ? durationInWords(limit) : "no limit"}. “none” takes it away.`}
        value={text}
        data-autofocus
        error={(tried && fault) || faultAt(change.error, "max_runtime")}
        onChange={(event) => {
          setText(event.currentTarget.value);
          change.reset();
        }}
      />
      <Offers
        values={[...offers, "none"]}
        chosen={text.trim()}
        onChoose={setText}
        said={(value) => (value === "none" ? "No limit" : value)}
      />
      <TextInput
        type="datetime-local"
        label="Deadline"
        description="When it is stopped at the latest, in your time zone. Empty for none."
        value={until}
        error={faultAt(change.error, "deadline")}
        onChange={(event) => {
          setUntil(event.currentTarget.value);
          change.reset();
        }}
      />
    </Form>
  );
}

interface FormProps {
  title: string;
  button: string;
  change: ReturnType<typeof useChange>;
  /** Whose faults stand at the field itself. */
  fields: readonly string[];
  onClose: () => void;
  /** What to change; null where what was typed cannot be. */
  onSubmit: () => WorkloadChange | null;
  children: ReactNode;
}

function Form({ title, button, change, fields, onClose, onSubmit, children }: FormProps) {
  const atField = fields.some((field) => faultAt(change.error, field) !== null);
  return (
    <Dialog title={title} onClose={onClose}>
      <form
        className={dialogBody}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          const next = onSubmit();
          if (next === null) return;
          if (Object.keys(next).length === 0) onClose();
          else change.mutate(next, { onSuccess: onClose });
        }}
      >
        {children}
        {change.isError && !atField && <DialogFailure>{change.error.message}</DialogFailure>}
        <DialogActions>
          <Button variant="default" onClick={onClose}>
            Leave as it is
          </Button>
          <Button type="submit" loading={change.isPending}>
            {button}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

export function isDuration(text: string): boolean {
  return text === "none" || /^(\d+(\.\d+)?\s*(s|m|h|d|w)\s*)+$/i.test(text);
}

/** 5400 → 1h30m, as specs write it. */
export function durationWritten(seconds: number): string {
  let rest = Math.round(seconds);
  let text = "";
  for (const [unit, size] of [
    ["d", 86_400],
    ["h", HOUR],
    ["m", 60],
    ["s", 1],
  ] as const) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) text += `${count}${unit}`;
  }
  return text || "0s";
}

/** As fields for a local time take it. */
function localWritten(iso: string): string {
  const at = new Date(iso);
  const shifted = new Date(at.getTime() - at.getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 16);
}
