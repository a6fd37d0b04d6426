/** Puts the focus on a field of the form, or on the nearest one around it. */
import { isWithin } from "./faults";
import { fieldId } from "./form";

const LOOK_AGAIN_MS = 20;
const LOOKS_MAX = 50;

/** False when the form has no such field. */
export async function fieldFocus(field: string): Promise<boolean> {
  const group = groupOf(field);
  if (group && !group.open) {
    group.open = true;
    // Its fields are drawn once it is open.
    for (let look = 0; look < LOOKS_MAX && group.children.length < 2; look += 1) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
    }
  }
  const parts = field.split(".");
  for (let length = parts.length; length > 0; length -= 1) {
    const found = document.getElementById(fieldId(parts.slice(0, length).join(".")));
    if (!found) continue;
    const target = found.querySelector<HTMLElement>("input:checked") ?? found;
    target.scrollIntoView?.({ block: "center" });
    target.focus({ preventScroll: true });
    if (document.activeElement === target) return true;
  }
  return false;
}

function groupOf(field: string): HTMLDetailsElement | undefined {
  return [...document.querySelectorAll<HTMLDetailsElement>("details[data-fields]")].find((each) =>
    (each.dataset.fields ?? "").split(" ").some((own) => isWithin(field, own)),
  );
}
