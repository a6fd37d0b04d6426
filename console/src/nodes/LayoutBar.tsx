/** The slices of the new layout: instances are dragged on them, off them and along them, or moved
 * and removed with keys. What is free is outlined; where an instance cannot stand is said at once. */
import { type KeyboardEvent, type RefObject, useLayoutEffect, useRef } from "react";
import { CloseIcon } from "../frame/icons";
import { type Instance, nextStart, objection, type Profile, runsFree } from "./layout";
import { spanOf } from "./SliceBar";
import classes from "./slices.module.css";
import type { Drag, useInstanceDrag } from "./useInstanceDrag";

interface Props {
  bar: RefObject<HTMLOListElement | null>;
  total: number;
  profiles: readonly Profile[];
  placed: readonly Instance[];
  drag: Drag | null;
  handlers: ReturnType<typeof useInstanceDrag>["handlers"];
  /** Who is in an instance that stands already, by profile and start. */
  holders: ReadonlyMap<string, string>;
  onMove: (from: number, to: number) => void;
  onRemove: (start: number) => void;
}

export function LayoutBar(props: Props) {
  const { bar, total, profiles, placed, drag, handlers, holders, onMove, onRemove } = props;
  const focused = useRef<number | null>(null);
  // A moved instance is drawn anew, and keeps the focus.
  useLayoutEffect(() => {
    if (focused.current === null) return;
    bar.current?.querySelector<HTMLElement>(`[data-start="${focused.current}"]`)?.focus();
    focused.current = null;
  });
  const open = drag && slicesOpen(profiles, placed, drag);

  function keys(event: KeyboardEvent, each: Instance) {
    const profile = profiles.find((one) => one.name === each.profile);
    const side = { ArrowLeft: -1, ArrowRight: 1 }[event.key] as 1 | -1 | undefined;
    if (side && profile) {
      event.preventDefault();
      const others = placed.filter((other) => other !== each);
      const next = nextStart(profiles, others, profile, each.start, side);
      if (next === null) return;
      focused.current = next;
      onMove(each.start, next);
    } else if (event.key === "Delete" || event.key === "Backspace") {
      event.preventDefault();
      remove(each.start);
    }
  }

  function remove(start: number) {
    bar.current?.focus();
    onRemove(start);
  }

  return (
    <div className={classes.frame}>
      <ol
        ref={bar}
        tabIndex={-1}
        className={classes.bar}
        data-editable
        data-dragging={drag ? true : undefined}
        style={{ gridTemplateColumns: `repeat(${total}, minmax(0, 1fr))` }}
        aria-label="Instances of the new layout"
      >
        {runsFree(total, placed)
          .flatMap(({ start, size }) => Array.from({ length: size }, (_, at) => start + at))
          .map((slice) => (
            <li
              key={`free ${slice}`}
              className={classes.hole}
              data-open={open?.has(slice) || undefined}
              style={spanOf({ start: slice, size: 1 })}
            >
              <span className={classes.number}>{slice}</span>
              <span className={classes.hidden}> free</span>
            </li>
          ))}
        {placed.map((each) => {
          const profile = profiles.find((one) => one.name === each.profile);
          const holder = holders.get(`${each.profile}@${each.start}`);
          const name = holder ? `${each.profile} ${holder}` : each.profile;
          const { onKeyDown, ...pointer } = profile
            ? handlers(profile, each.start)
            : { onKeyDown: undefined };
          return (
            <li
              key={`${each.profile} ${each.start}`}
              className={classes.placed}
              data-size={each.size}
              data-lifted={drag?.from === each.start || undefined}
              style={spanOf(each)}
            >
              <button
                type="button"
                className={classes.grip}
                data-start={each.start}
                title={`${name} at slice ${each.start}`}
                aria-label={`${name} at slice ${each.start}. Arrow keys move it, Delete removes it.`}
                {...pointer}
                onKeyDown={(event) => {
                  onKeyDown?.(event);
                  keys(event, each);
                }}
              >
                <span>{each.profile}</span>
                {holder && " "}
                {holder && <span>{holder}</span>}
              </button>
              <button
                type="button"
                className={classes.remove}
                aria-label={`Remove ${each.profile} at slice ${each.start}`}
                onClick={() => remove(each.start)}
              >
                <CloseIcon />
              </button>
            </li>
          );
        })}
        {drag !== null && drag.start !== null && (
          <li
            aria-hidden
            className={classes.ghost}
            data-wrong={drag.wrong !== null || undefined}
            data-size={drag.profile.memory_slices}
            style={spanOf({ start: drag.start, size: drag.profile.memory_slices })}
          >
            <span>{drag.profile.name}</span>
          </li>
        )}
      </ol>
    </div>
  );
}

/** The slices that an instance of the dragged profile could take. */
function slicesOpen(
  profiles: readonly Profile[],
  placed: readonly Instance[],
  { profile, from }: Drag,
): Set<number> {
  const others = placed.filter(({ start }) => start !== from);
  const found = new Set<number>();
  for (const start of profile.starts) {
    if (objection(profiles, others, profile, start) !== null) continue;
    for (let at = 0; at < profile.memory_slices; at += 1) found.add(start + at);
  }
  return found;
}
