import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { consoleOpen, serverCreate } from "../testing/console";
import { deviceOf, identityOf, nodeOf, pageOf } from "../testing/documents";
import {
  added,
  layoutText,
  nextStart,
  objection,
  type Profile,
  runsFree,
  startNear,
} from "./layout";
import { hindranceOf } from "./ModeDialog";

// jsdom has no pointers; a mouse says as much of them as is asked here.
window.PointerEvent = MouseEvent as typeof PointerEvent;

function profileOf(name: string, size: number, starts: number[], most: number, media = false) {
  return {
    name,
    compute_slices: size,
    memory_slices: size,
    memory_bytes: size * 10 * 2 ** 30,
    starts,
    max_instances: most,
    media,
  };
}

const small = profileOf("1g.10gb", 1, [0, 1, 2, 3, 4, 5, 6], 7);
const film = profileOf("1g.10gb+me", 1, [0, 1, 2, 3, 4, 5, 6], 1, true);
const half = profileOf("3g.40gb", 4, [0, 4], 2);
const whole = profileOf("7g.80gb", 8, [0], 1);
const profiles: Profile[] = [small, film, half, whole];

test("what cannot be is said at once", () => {
  const placed = added(added([], half, 4), film, 0);
  expect(layoutText(placed)).toBe("1g.10gb+me@0,3g.40gb@4");
  expect(layoutText([])).toBe("none");
  expect(objection(profiles, placed, small, 1)).toBeNull();
  expect(objection(profiles, placed, small, 5)).toBe("3g.40gb at slice 4 is there");
  expect(objection(profiles, placed, film, 1)).toBe("there can be 1 at most");
  expect(objection(profiles, placed, whole, 0)).toMatch("is there");
});

test("an instance moves to the next place where it can stand", () => {
  const film0 = added([], film, 0);
  expect(nextStart(profiles, film0, small, 2, -1)).toBe(1);
  expect(nextStart(profiles, film0, small, 1, -1)).toBeNull();
  expect(nextStart(profiles, added(film0, half, 4), small, 1, 1)).toBe(2);
  expect(nextStart(profiles, [], half, 0, 1)).toBe(4);
});

test("where the pointer is says which start is meant", () => {
  expect(startNear(small, 2.4)).toBe(2);
  expect(startNear(small, 7.6)).toBeNull();
  expect([startNear(half, 1.9), startNear(half, 2.1)]).toEqual([0, 4]);
});

test("what is free is told in runs", () => {
  expect(runsFree(8, added(added([], half, 4), small, 1))).toEqual([
    { start: 0, size: 1 },
    { start: 2, size: 2 },
  ]);
  expect(runsFree(8, added([], whole, 0))).toEqual([]);
});

const device = deviceOf({
  index: 0,
  mig: true,
  board: "H100-80GB",
  memory_slices: 8,
  slices: [{ profile: "3g.40gb", start: 4, size: 4, uuid: "MIG-1", state: "idle" }],
  room: [
    { profile: "1g.10gb", count: 4 },
    { profile: "7g.80gb", count: 0 },
  ],
  mig_board: "H100-80GB",
  temperature_celsius: 41,
  drift: "1g.10gb at slice 0 vanished",
  drift_at: "2026-03-01T09:00:00Z",
});
const node = nodeOf({ devices: [device] });
const path = "/api/v1/nodes/node-1/gpus/0/layout";

function served() {
  return serverCreate()
    .on("GET /api/v1/nodes", () => pageOf([node]))
    .on("GET /api/v1/nodes/node-1", () => node)
    .on("GET /api/v1/nodes/node-1/replicas", () => pageOf([]))
    .on("GET /api/v1/nodes/node-1/curves", () => ({
      since: "2026-03-01T09:00:00Z",
      until: "2026-03-01T10:00:00Z",
      step_seconds: 10,
      series: [],
    }))
    .on(`GET ${path}`, () => ({
      node: "node-1",
      gpu: device,
      profiles,
      layout: "3g.40gb@4",
      wanted: null,
      steps: [],
    }))
    .on(`POST ${path}/plan`, () => ({
      layout: "",
      instances: [],
      steps: [{ act: "make", profile: "1g.10gb", start: 2, text: "Make 1g.10gb at slice 2." }],
      room: [],
    }));
}

test("a GPU is drawn as its slices", async () => {
  served();
  await consoleOpen("/nodes/node-1");
  const bar = await screen.findByRole("list", { name: "MIG instances of GPU 0" });
  expect(
    within(bar)
      .getAllByRole("listitem")
      .map((each) => each.textContent),
  ).toEqual(["3g.40gbidle", "free"]);
  expect(screen.getByText("Still fits: 4 × 1g.10gb")).toBeVisible();
  expect(
    screen.getByText("Its GPUs still have room for a 1g.10gb instance of an H100."),
  ).toBeVisible();
  expect(screen.getByText("41 °C")).toBeVisible();
  expect(screen.getByText(/Changed outside of Podium at .*: 1g.10gb at slice 0/)).toBeVisible();
});

test("the editor disables what cannot be and shows the steps", async () => {
  const user = userEvent.setup();
  served().on("GET /api/v1/auth/me", () => identityOf({ administrator: true }));
  await consoleOpen("/nodes/node-1");
  await user.click(await screen.findByRole("button", { name: "Layout of GPU 0…" }));
  const dialog = await screen.findByRole("dialog");
  expect(
    await within(dialog).findByRole("button", { name: "Add 1g.10gb at slice 5" }),
  ).toBeDisabled();
  await user.click(within(dialog).getByRole("button", { name: "Add 1g.10gb at slice 2" }));
  expect(within(dialog).getByRole("button", { name: "Add 1g.10gb at slice 2" })).toBeDisabled();
  expect(await within(dialog).findByText("Make 1g.10gb at slice 2.")).toBeVisible();
  await user.click(within(dialog).getByRole("button", { name: "Remove 3g.40gb at slice 4" }));
  expect(within(dialog).getByRole("button", { name: "Add 1g.10gb at slice 5" })).toBeEnabled();
});

/** jsdom lays nothing out: eight slices of 100 pixels. */
async function editorOpen() {
  const user = userEvent.setup();
  const server = served().on("GET /api/v1/auth/me", () => identityOf({ administrator: true }));
  await consoleOpen("/nodes/node-1");
  await user.click(await screen.findByRole("button", { name: "Layout of GPU 0…" }));
  const dialog = within(await screen.findByRole("dialog"));
  const bar = await dialog.findByRole("list", { name: "Instances of the new layout" });
  bar.getBoundingClientRect = () => new DOMRect(0, 100, 800, 80);
  const standing = () =>
    within(bar)
      .queryAllByRole("button", { name: /Arrow keys/ })
      .map((each) => each.getAttribute("title"));
  return { user, server, dialog, standing };
}

function drag(from: HTMLElement, ...to: { clientX: number; clientY: number }[]) {
  fireEvent.pointerDown(from, { button: 0, pointerId: 1, clientX: 0, clientY: 0 });
  for (const at of to) fireEvent.pointerMove(from, { pointerId: 1, ...at });
}

test("a drag says at once where an instance cannot stand, and drops it where it can", async () => {
  const { dialog, standing } = await editorOpen();
  const chip = dialog.getByRole("button", { name: "Add 3g.40gb where there is room" });
  drag(chip, { clientX: 620, clientY: 140 });
  expect(dialog.getByRole("status")).toHaveTextContent(
    "3g.40gb does not fit there: 3g.40gb at slice 4 is there.",
  );
  fireEvent.pointerUp(chip, { pointerId: 1, clientX: 620, clientY: 140 });
  expect(standing()).toEqual(["3g.40gb at slice 4"]);
  drag(chip, { clientX: 210, clientY: 140 });
  expect(dialog.getByRole("status")).toHaveTextContent("3g.40gb at slice 0.");
  fireEvent.pointerUp(chip, { pointerId: 1, clientX: 210, clientY: 140 });
  expect(standing()).toEqual(["3g.40gb at slice 0", "3g.40gb at slice 4"]);
});

test("an instance is dragged along the slices and off them", async () => {
  const { dialog, standing } = await editorOpen();
  const grip = () => dialog.getByRole("button", { name: /^3g.40gb at slice/ });
  drag(grip(), { clientX: 10, clientY: 140 });
  fireEvent.pointerUp(grip(), { pointerId: 1, clientX: 10, clientY: 140 });
  expect(standing()).toEqual(["3g.40gb at slice 0"]);
  drag(grip(), { clientX: 10, clientY: 400 });
  expect(dialog.getByRole("status")).toHaveTextContent("Let go to remove 3g.40gb.");
  fireEvent.keyDown(grip(), { key: "Escape" });
  fireEvent.pointerUp(grip(), { pointerId: 1, clientX: 10, clientY: 400 });
  expect(standing()).toEqual(["3g.40gb at slice 0"]);
  drag(grip(), { clientX: 10, clientY: 400 });
  fireEvent.pointerUp(grip(), { pointerId: 1, clientX: 10, clientY: 400 });
  expect(standing()).toEqual([]);
});

test("keys do what the pointer does", async () => {
  const { user, dialog, standing } = await editorOpen();
  const grip = () => dialog.getByRole("button", { name: /^3g.40gb at slice/ });
  grip().focus();
  await user.keyboard("{ArrowLeft}");
  expect(standing()).toEqual(["3g.40gb at slice 0"]);
  expect(grip()).toHaveFocus();
  await user.keyboard("{ArrowLeft}{Delete}");
  expect(standing()).toEqual([]);
  await user.click(dialog.getByRole("button", { name: "Add 7g.80gb where there is room" }));
  expect(standing()).toEqual(["7g.80gb at slice 0"]);
});

test("MIG is turned off after a question, and only on an idle GPU", async () => {
  const user = userEvent.setup();
  const put = vi.fn(() => ({}));
  served()
    .on("GET /api/v1/auth/me", () => identityOf({ administrator: true }))
    .on("PUT /api/v1/nodes/node-1/gpus/0/mig", put);
  await consoleOpen("/nodes/node-1");
  await user.click(await screen.findByRole("button", { name: "Turn MIG off on GPU 0…" }));
  const dialog = within(await screen.findByRole("dialog"));
  expect(dialog.getByText(/^Its instances end/)).toBeVisible();
  await user.click(dialog.getByRole("button", { name: "Turn MIG off" }));
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  expect(put).toHaveBeenCalledOnce();
  expect(hindranceOf(device)).toBeNull();
  expect(hindranceOf({ ...device, pinned: true })).toMatch("Unpin it first");
  expect(hindranceOf({ ...device, gpu_milli_used: 500 })).toBe(
    "This needs an idle GPU, and it is held by work. Cordon the node, and come back when that has ended.",
  );
});
