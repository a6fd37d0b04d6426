/** The smallest changes with which it would start now, and what does them. */
import { Button } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useRef, useState } from "react";
import { answered, api } from "../../api/client";
import type { OfferedChange, WorkloadDetail } from "../../api/types";
import foretold from "../../foresight/foresight.module.css";
import { buttonOf, specWith } from "../../foresight/words";
import { Dialog, DialogActions, DialogFailure, dialogBody } from "../../frame/Dialog";
import { counted } from "../../quantity/words";
import { workloadKeys } from "../queries";
import { useMayChange, useMaySubmit } from "./may";
import { useChange } from "./useChange";

interface Props {
  workload: WorkloadDetail;
  changes: readonly OfferedChange[];
}

export function Offered({ workload, changes }: Props) {
  const [chosen, setChosen] = useState<OfferedChange | null>(null);
  const mayChange = useMayChange(workload);
  const maySubmit = useMaySubmit(workload);
  return (
    <section aria-label="It would start now">
      <h3 className={foretold.title}>What would let it start now</h3>
      <ul className={foretold.offers}>
        {changes.map((each) => (
          <li key={each.axis}>
            <span className={foretold.offerWords}>
              {each.sentence}
              {each.delays > 0 && (
                <span className={foretold.quiet}>
                  {" "}
                  {counted(each.delays, "workload")} with nodes kept would start later.
                </span>
              )}
              {each.how === "quota" && (
                <span className={foretold.quiet}> Only an administrator can do this.</span>
              )}
            </span>
            {each.how !== "quota" && mayChange && (each.how === "change" || maySubmit) && (
              <Button variant="default" size="xs" onClick={() => setChosen(each)}>
                {buttonOf(each)}
              </Button>
            )}
          </li>
        ))}
      </ul>
      {chosen?.how === "resubmit" && (
        <ResubmitDialog workload={workload} change={chosen} onClose={() => setChosen(null)} />
      )}
      {chosen?.how === "change" && (
        <ChangeDialog workload={workload} change={chosen} onClose={() => setChosen(null)} />
      )}
    </section>
  );
}

interface DialogProps {
  workload: WorkloadDetail;
  change: OfferedChange;
  onClose: () => void;
}

function ChangeDialog({ workload, change, onClose }: DialogProps) {
  const doing = useChange(workload.id);
  const body = Object.fromEntries(change.fields.map(({ field, value }) => [field, value]));
  return (
    <Dialog title={`${buttonOf(change)} for ${workload.name}`} onClose={onClose}>
      <div className={dialogBody}>
        <p>{change.sentence} It keeps its place in the queue.</p>
        {doing.isError && <DialogFailure>{doing.error.message}</DialogFailure>}
        <DialogActions>
          <Button variant="default" onClick={onClose}>
            Leave as it is
          </Button>
          <Button
            loading={doing.isPending}
            data-autofocus
            onClick={() => doing.mutate(body, { onSuccess: onClose })}
          >
            {buttonOf(change)}
          </Button>
        </DialogActions>
      </div>
    </Dialog>
  );
}

function ResubmitDialog({ workload, change, onClose }: DialogProps) {
  const resubmit = useResubmit(workload);
  const navigate = useNavigate();
  return (
    <Dialog title={`Resubmit ${workload.name}`} onClose={onClose}>
      <div className={dialogBody}>
        <p>
          It is submitted again with other resources, and starts as soon as it is accepted. Only
          then is the one that waits cancelled.
        </p>
        <dl>
          {change.fields.map(({ field, value }) => (
            <div key={field}>
              <dt>
                <code>{field}</code>
              </dt>
              <dd>{valueInWords(value)}</dd>
            </div>
          ))}
        </dl>
        {resubmit.isError && <DialogFailure>{resubmit.error.message}</DialogFailure>}
        <DialogActions>
          <Button variant="default" onClick={onClose}>
            Leave as it is
          </Button>
          <Button
            loading={resubmit.isPending}
            data-autofocus
            onClick={() =>
              resubmit.mutate(change, {
                onSuccess: ({ id }) => {
                  onClose();
                  void navigate({ to: "/workloads/$id", params: { id }, search: {} });
                },
              })
            }
          >
            {buttonOf(change)}
          </Button>
        </DialogActions>
      </div>
    </Dialog>
  );
}

function valueInWords(value: unknown): string {
  if (value == null) return "left out";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** Submits it with the change, then cancels the one that waits. Sent again after a lost answer, it
 * is the same submission. */
function useResubmit(workload: WorkloadDetail) {
  const queries = useQueryClient();
  const key = useRef(crypto.randomUUID());
  return useMutation({
    mutationFn: async (change: OfferedChange) => {
      const spec = specWith(
        { ...workload.submitted_spec, project: workload.project },
        change.fields,
      );
      const made = await answered(
        api.POST("/api/v1/workloads", {
          body: spec as never,
          headers: { "Idempotency-Key": key.current },
        }),
      );
      try {
        await answered(
          api.POST("/api/v1/workloads/{workload_id}/cancel", {
            params: { path: { workload_id: workload.id } },
            body: { reason: `${made.id} is in its place.` },
          }),
        );
      } catch (error) {
        const why = error instanceof Error ? error.message : "";
        throw new Error(
          `${made.name} was submitted as ${made.id}, but the one that waits could not be cancelled. ${why}`,
        );
      }
      return made;
    },
    onSettled: () => queries.invalidateQueries({ queryKey: workloadKeys.all }),
    retry: false,
  });
}
