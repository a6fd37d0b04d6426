/** How a GPU is to be cut: instances are added and removed on its slices, and the steps are told
 * before anything is done. */
import { Button, Checkbox } from "@mantine/core";
import { useState } from "react";
import { Dialog, DialogActions, DialogFailure, dialogBody } from "../frame/Dialog";
import { added, type Instance, type Layout, layoutText, objection } from "./layout";
import { useLayout, useLayoutChange, useLayoutPlan } from "./layoutQueries";
import classes from "./slices.module.css";

interface Props {
  node: string;
  gpu: number;
  onClose: () => void;
}

export function LayoutEditor({ node, gpu, onClose }: Props) {
  const { data, error } = useLayout(node, gpu);
  return (
    <Dialog title={`Layout of GPU ${gpu}`} onClose={onClose}>
      <div className={dialogBody}>
        {error && <DialogFailure>{error.message}</DialogFailure>}
        {data && <Editor node={node} gpu={gpu} layout={data} onClose={onClose} />}
      </div>
    </Dialog>
  );
}

function Editor({ node, gpu, layout, onClose }: Props & { layout: Layout }) {
  const [placed, setPlaced] = useState<Instance[]>(
    () =>
      layout.wanted?.instances ??
      (layout.gpu.slices ?? []).map(({ profile, start, size }) => ({ profile, start, size })),
  );
  const [keep, setKeep] = useState(layout.wanted?.kept ?? true);
  const [move, setMove] = useState(false);
  const text = layoutText(placed);
  const plan = useLayoutPlan(node, gpu, text);
  const change = useLayoutChange(node, gpu);
  const most = Math.max(...layout.profiles.map((each) => each.memory_slices));
  const movable = plan.data?.steps.some((each) => each.movable) ?? false;
  const failure = change.error ?? plan.error;
  return (
    <>
      <ol
        className={classes.bar}
        style={{ gridTemplateColumns: `repeat(${most}, minmax(0, 1fr))` }}
        aria-label="Instances of the new layout"
      >
        {placed.map((each) => (
          <li key={each.start} style={{ gridColumn: `${each.start + 1} / span ${each.size}` }}>
            <button
              type="button"
              className={classes.placed}
              aria-label={`Remove ${each.profile} at slice ${each.start}`}
              onClick={() => setPlaced(placed.filter((other) => other !== each))}
            >
              {each.profile}
            </button>
          </li>
        ))}
        {placed.length === 0 && <li className={classes.empty}>No instance</li>}
      </ol>
      <table className={classes.profiles}>
        <thead>
          <tr>
            <th scope="col">Add</th>
            <th scope="col">At memory slice</th>
          </tr>
        </thead>
        <tbody>
          {layout.profiles.map((profile) => (
            <tr key={profile.name}>
              <th scope="row">{profile.name}</th>
              <td>
                {profile.starts.map((start) => {
                  const wrong = objection(layout.profiles, placed, profile, start);
                  return (
                    <button
                      key={start}
                      type="button"
                      className={classes.start}
                      disabled={wrong !== null}
                      title={wrong ?? undefined}
                      aria-label={`Add ${profile.name} at slice ${start}`}
                      onClick={() => setPlaced(added(placed, profile, start))}
                    >
                      {start}
                    </button>
                  );
                })}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <section aria-label="Steps" aria-live="polite">
        {plan.data && plan.data.steps.length === 0 && <p>This is how it stands.</p>}
        <ol className={classes.steps}>
          {plan.data?.steps.map((step) => (
            <li key={`${step.act} ${step.profile} ${step.start}`}>
              {step.text}
              {step.holder && ` It is ${step.holder.owner}'s ${step.holder.name}.`}
              {step.movable && " It can start again elsewhere."}
              {step.stays && ` It stays: ${step.stays}.`}
            </li>
          ))}
        </ol>
      </section>
      <Checkbox
        label="Keep it: only these instances get work"
        checked={keep}
        onChange={(event) => setKeep(event.currentTarget.checked)}
      />
      {movable && (
        <Checkbox
          label="Have saved work in the way start again elsewhere"
          checked={move}
          onChange={(event) => setMove(event.currentTarget.checked)}
        />
      )}
      {failure && <DialogFailure>{failure.message}</DialogFailure>}
      <DialogActions>
        {layout.wanted && (
          <Button
            variant="default"
            loading={change.isPending}
            onClick={() => change.mutate(null, { onSuccess: onClose })}
          >
            Unpin
          </Button>
        )}
        <Button
          loading={change.isPending}
          disabled={!plan.data}
          onClick={() => change.mutate({ layout: text, keep, move }, { onSuccess: onClose })}
        >
          Apply
        </Button>
      </DialogActions>
    </>
  );
}
