/** How a GPU is to be cut: instances are dragged onto its slices, and the steps are told before
 * anything is done. */
import { Button, Checkbox, Portal } from "@mantine/core";
import { useRef, useState } from "react";
import { LayoutOutlook } from "../foresight/LayoutOutlook";
import { Dialog, DialogActions, DialogFailure, dialogBody } from "../frame/Dialog";
import { LayoutBar } from "./LayoutBar";
import { added, type Instance, type Layout, layoutText, type Profile } from "./layout";
import { useLayout, useLayoutChange, useLayoutPlan } from "./layoutQueries";
import { ProfileTable } from "./ProfileTable";
import { SliceBar, shown } from "./SliceBar";
import classes from "./slices.module.css";
import { useInstanceDrag } from "./useInstanceDrag";

const WIDTH = 720;

interface Props {
  node: string;
  gpu: number;
  onClose: () => void;
}

export function LayoutEditor({ node, gpu, onClose }: Props) {
  // What one begins with is how it stands now, and not what was known before.
  const { data, error, isFetchedAfterMount } = useLayout(node, gpu);
  return (
    <Dialog title={`Layout of GPU ${gpu}`} onClose={onClose} size={WIDTH}>
      <div className={dialogBody}>
        {error && <DialogFailure>{error.message}</DialogFailure>}
        {data && isFetchedAfterMount && (
          <Editor node={node} gpu={gpu} layout={data} onClose={onClose} />
        )}
      </div>
    </Dialog>
  );
}

function Editor({ node, gpu, layout, onClose }: Props & { layout: Layout }) {
  const { profiles } = layout;
  const standing = shown(layout.gpu.slices ?? []);
  const [placed, setPlaced] = useState<readonly Instance[]>(
    () =>
      layout.wanted?.instances ??
      standing.map(({ profile, start, size }) => ({ profile, start, size })),
  );
  const [keep, setKeep] = useState(layout.wanted?.kept ?? true);
  const [move, setMove] = useState(false);
  const bar = useRef<HTMLOListElement>(null);
  const total = Math.max(...profiles.map((each) => each.memory_slices));
  const text = layoutText(placed);
  const plan = useLayoutPlan(node, gpu, text);
  const change = useLayoutChange(node, gpu);
  const movable = plan.data?.steps.some((each) => each.movable) ?? false;
  const failure = change.error ?? plan.error;
  const holders = new Map(
    standing.flatMap(({ profile, start, state, holder }) =>
      state === "idle" ? [] : [[`${profile}@${start}`, holder?.name ?? "in use"] as const],
    ),
  );

  const without = (start: number | null) => placed.filter((each) => each.start !== start);
  const put = (profile: Profile, from: number | null, start: number | null) =>
    setPlaced(start === null ? without(from) : added(without(from), profile, start));
  const { drag, handlers, wasDragged } = useInstanceDrag({
    bar,
    total,
    profiles,
    placed,
    onDrop: ({ profile, from, start }) => put(profile, from, start),
  });

  return (
    <>
      <div className={classes.before}>
        <h3>Now</h3>
        <SliceBar label="Instances as they stand" total={total} slices={layout.gpu.slices ?? []} />
      </div>
      <div className={classes.after}>
        <h3>New layout</h3>
        <LayoutBar
          {...{ bar, total, profiles, placed, drag, handlers, holders }}
          onMove={(from, to) => {
            const each = placed.find(({ start }) => start === from);
            const profile = profiles.find(({ name }) => name === each?.profile);
            if (profile) put(profile, from, to);
          }}
          onRemove={(start) => setPlaced(without(start))}
        />
        <p className={classes.verdict} role="status" data-wrong={drag?.wrong != null || undefined}>
          {drag ? dragInWords(drag) : "Drag instances onto free slices, along them, or off them."}
        </p>
      </div>
      <ProfileTable
        {...{ profiles, placed, handlers, wasDragged }}
        onAdd={(profile, start) => put(profile, null, start)}
      />
      <section aria-label="Steps" aria-live="polite" className={classes.stepsBox}>
        <h3>Steps</h3>
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
      {keep && plan.data && <LayoutOutlook {...{ node, gpu, move }} layout={text} />}
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
      {drag !== null && drag.start === null && (
        // The dialog is moved by a transform, which would hold what is fixed in it.
        <Portal>
          <span aria-hidden className={classes.carried} style={{ left: drag.x, top: drag.y }}>
            {drag.profile.name}
          </span>
        </Portal>
      )}
    </>
  );
}

function dragInWords({
  profile,
  from,
  start,
  wrong,
}: NonNullable<ReturnType<typeof useInstanceDrag>["drag"]>): string {
  if (wrong !== null) return `${profile.name} does not fit there: ${wrong}.`;
  if (start !== null) return `${profile.name} at slice ${start}.`;
  return from === null
    ? `Drop ${profile.name} on free slices.`
    : `Let go to remove ${profile.name}.`;
}
