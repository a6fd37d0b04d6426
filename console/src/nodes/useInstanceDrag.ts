/** Dragging an instance over the slices of a GPU: which one, where it would stand, and why it cannot.
 * What is dropped where it cannot stand goes back to where it came from. */
import { type KeyboardEvent, type PointerEvent, type RefObject, useRef, useState } from "react";
import { type Instance, objection, type Profile, startNear } from "./layout";

/** So far the pointer moves before a press becomes a drag, in pixels. */
const THRESHOLD_PX = 4;
/** So far above or below the slices one may be. */
const REACH_PX = 40;

export interface Drag {
  profile: Profile;
  /** Where it stood; null for a new one. */
  from: number | null;
  /** Where it would stand, if over the slices. */
  start: number | null;
  /** Why it cannot stand there. */
  wrong: string | null;
  /** Of the pointer, in the window. */
  x: number;
  y: number;
}

interface Pressed {
  profile: Profile;
  from: number | null;
  x: number;
  y: number;
  /** Between the start of the instance and the pointer, in slices. */
  grip: number;
}

interface Given {
  bar: RefObject<HTMLElement | null>;
  total: number;
  profiles: readonly Profile[];
  placed: readonly Instance[];
  /** `start` is null where one is to go. */
  onDrop: (drag: { profile: Profile; from: number | null; start: number | null }) => void;
}

export function useInstanceDrag({ bar, total, profiles, placed, onDrop }: Given) {
  const [drag, setDrag] = useState<Drag | null>(null);
  const pressed = useRef<Pressed | null>(null);
  const moved = useRef(false);

  function look(event: PointerEvent, { profile, from, grip }: Pressed): Drag {
    const { clientX: x, clientY: y } = event;
    const box = bar.current?.getBoundingClientRect();
    const near =
      box !== undefined &&
      box.width > 0 &&
      y > box.top - REACH_PX &&
      y < box.bottom + REACH_PX &&
      x > box.left - REACH_PX &&
      x < box.right + REACH_PX;
    const start = near ? startNear(profile, ((x - box.left) / box.width) * total - grip) : null;
    const others = placed.filter((each) => each.start !== from);
    const wrong =
      near && start === null
        ? `${profile.name} cannot begin there`
        : start === null
          ? null
          : objection(profiles, others, profile, start);
    return { profile, from, start, wrong, x, y };
  }

  function handlers(profile: Profile, from: number | null = null) {
    const stop = (event: PointerEvent) => {
      pressed.current = null;
      setDrag(null);
      if (event.currentTarget.hasPointerCapture?.(event.pointerId)) {
        event.currentTarget.releasePointerCapture(event.pointerId);
      }
    };
    return {
      onPointerDown: (event: PointerEvent<HTMLElement>) => {
        moved.current = false;
        if (event.button !== 0) return;
        const box = event.currentTarget.getBoundingClientRect();
        const along = from === null ? 0.5 : (event.clientX - box.left) / Math.max(1, box.width);
        pressed.current = {
          profile,
          from,
          x: event.clientX,
          y: event.clientY,
          grip: along * profile.memory_slices,
        };
        event.currentTarget.setPointerCapture?.(event.pointerId);
      },
      onPointerMove: (event: PointerEvent<HTMLElement>) => {
        const press = pressed.current;
        if (!press) return;
        const far = Math.hypot(event.clientX - press.x, event.clientY - press.y);
        if (!moved.current && far < THRESHOLD_PX) return;
        moved.current = true;
        setDrag(look(event, press));
      },
      onPointerUp: (event: PointerEvent<HTMLElement>) => {
        const press = pressed.current;
        stop(event);
        if (!press || !moved.current) return;
        const { start, wrong } = look(event, press);
        // A new one that is let go elsewhere was never there.
        if (wrong === null && start !== press.from) onDrop({ profile, from, start });
      },
      onPointerCancel: stop,
      onKeyDown: (event: KeyboardEvent<HTMLElement>) => {
        if (event.key === "Escape" && pressed.current) {
          pressed.current = null;
          setDrag(null);
        }
      },
      // The window around closes by the same key.
      "data-mantine-stop-propagation": drag !== null,
    };
  }

  /** Whether the press that a click ends was a drag. */
  const wasDragged = () => moved.current;
  return { drag, handlers, wasDragged };
}
