/** Cancels a workload, after saying by count what stops and what is lost. */
import { Button, Popover } from "@mantine/core";
import { useState } from "react";
import type { WorkloadDetail } from "../../api/types";
import { counted } from "../../quantity/words";
import { useCancel } from "../queries";
import classes from "./detail.module.css";

export function CancelButton({ workload }: { workload: WorkloadDetail }) {
  const [asking, setAsking] = useState(false);
  const cancel = useCancel(workload.id);
  return (
    <Popover
      opened={asking}
      onChange={setAsking}
      position="bottom-end"
      width={304}
      trapFocus
      returnFocus
      shadow="none"
    >
      <Popover.Target>
        <Button variant="default" onClick={() => setAsking(!asking)}>
          Cancel
        </Button>
      </Popover.Target>
      <Popover.Dropdown className={classes.asking}>
        <p>{lossInWords(workload)}</p>
        {cancel.isError && (
          <p className={classes.failure} role="alert">
            {cancel.error.message}
          </p>
        )}
        <div className={classes.askingActions}>
          <Button variant="default" onClick={() => setAsking(false)}>
            Keep it
          </Button>
          <Button
            className={classes.destructive}
            loading={cancel.isPending}
            onClick={() => cancel.mutate(undefined, { onSuccess: () => setAsking(false) })}
          >
            Cancel workload
          </Button>
        </div>
      </Popover.Dropdown>
    </Popover>
  );
}

export function lossInWords({ name, replicas }: Pick<WorkloadDetail, "name" | "replicas">): string {
  const live = replicas.running + replicas.starting + replicas.scheduled;
  if (live === 0) return `${name} leaves the queue. Nothing of it runs yet.`;
  return `${name} stops, with ${counted(live, "replica")}. What was written to disk stays; what is only in memory is lost.`;
}
