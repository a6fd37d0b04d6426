/** Asks before many workloads are cancelled: says by count and name what stops and what is lost. */
import { Button, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { answered, api } from "../api/client";
import type { WorkloadState } from "../api/types";
import {
  DestructiveButton,
  Dialog,
  DialogActions,
  DialogFailure,
  dialogBody,
} from "../frame/Dialog";
import { counted } from "../quantity/words";
import { selectionQuery, type WorkloadFilters } from "../workloads/filters";
import { workloadKeys } from "../workloads/queries";
import { isEnded, workloadStates } from "../workloads/state";
import { type Outcome, useBulkAction } from "./actions";
import classes from "./bulk.module.css";
import type { Selection } from "./selection";
import { filtersInWords, type Loss, lossInWords, lossOf, namesInWords } from "./words";

interface Props {
  selection: Selection;
  onClose: () => void;
  onDone: (outcome: Outcome) => void;
}

export function CancelMany({ selection, onClose, onDone }: Props) {
  const [reason, setReason] = useState("");
  const act = useBulkAction();
  const matching = useMatchingLoss(selection.filters, selection.all);
  const loss = selection.all ? matching : lossOf(selection.rows.values());
  const what = counted(selection.count, "workload");
  const run = () =>
    act.mutate({ action: { action: "cancel", reason }, selection }, { onSuccess: onDone });
  return (
    <Dialog title={`Cancel ${what}`} onClose={onClose}>
      <form
        className={dialogBody}
        onSubmit={(event) => {
          event.preventDefault();
          run();
        }}
      >
        <p className={classes.names}>
          {selection.all
            ? `${filtersInWords(selection.filters)}${selection.rows.size > 0 ? `, but ${selection.rows.size}` : ""}.`
            : `${namesInWords(selection.rows.values())}.`}
        </p>
        {loss ? (
          <ul className={classes.loss}>
            {lossInWords(loss).map((sentence) => (
              <li key={sentence}>{sentence}</li>
            ))}
          </ul>
        ) : (
          <p className={classes.names}>Counting what runs…</p>
        )}
        <TextInput
          label="Reason"
          description="Optional. It stands in the history of each."
          maxLength={500}
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
        />
        {act.isError && <DialogFailure>{act.error.message}</DialogFailure>}
        <DialogActions>
          <Button variant="default" onClick={onClose} data-autofocus>
            Keep {selection.count === 1 ? "it" : "them"}
          </Button>
          <DestructiveButton type="submit" loading={act.isPending}>
            Cancel {what}
          </DestructiveButton>
        </DialogActions>
      </form>
    </Dialog>
  );
}

/** How many of all that match run, wait or have ended, as the server counts them. */
function useMatchingLoss(filters: WorkloadFilters, enabled: boolean): Loss | undefined {
  const { data } = useQuery({
    queryKey: [...workloadKeys.counts, "loss", filters],
    enabled,
    queryFn: async ({ signal }): Promise<Loss> => {
      const asked = filters.state ?? [...workloadStates];
      const of = async (states: WorkloadState[]) => {
        const state = states.filter((each) => asked.includes(each));
        if (state.length === 0) return 0;
        const query = { ...selectionQuery(filters), state, limit: 1 };
        return (await answered(api.GET("/api/v1/workloads", { params: { query }, signal }))).total;
      };
      const [waiting, ended, running] = await Promise.all([
        of(["queued"]),
        of(workloadStates.filter(isEnded)),
        of(["scheduled", "starting", "running", "stopping"]),
      ]);
      return { waiting, ended, running, replicas: 0 };
    },
  });
  return data;
}
