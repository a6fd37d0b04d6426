import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { consoleOpen, serverCreate } from "../testing/console";
import { deviceOf, identityOf, nodeOf, pageOf } from "../testing/documents";
import { added, layoutText, objection, type Profile } from "./layout";

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

const device = deviceOf({
  index: 0,
  mig: true,
  board: "H100-80GB",
  memory_slices: 8,
  slices: [{ profile: "3g.40gb", start: 4, size: 4, uuid: "MIG-1", state: "idle" }],
  room: [{ profile: "1g.10gb", count: 4 }],
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
