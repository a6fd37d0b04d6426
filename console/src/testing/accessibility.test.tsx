import { act, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import axe from "axe-core";
import { expect, test } from "vitest";
import { consoleOpen, serverCreate } from "./console";
import {
  aboutOf,
  detailOf,
  deviceOf,
  eventOf,
  identityOf,
  nodeOf,
  noticeOf,
  noticesOf,
  pageOf,
  projectOf,
  tokenOf,
  workloadOf,
} from "./documents";
import { FakeEventSource } from "./eventSource";
import { Refused } from "./server";

// It would like to measure glyphs, which jsdom cannot.
HTMLCanvasElement.prototype.getContext = () => null;

/** What axe finds wrong. It cannot see colours here; the test of the palette looks after those. */
async function faults(): Promise<string[]> {
  const { violations } = await axe.run(document.body, {
    rules: { "color-contrast": { enabled: false } },
  });
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((each) => each.html).join(" ")}`);
}

function filled() {
  return serverCreate()
    .on("GET /api/v1/workloads", () => pageOf([workloadOf()]))
    .on("GET /api/v1/workloads/w-1", () => detailOf())
    .on("GET /api/v1/workloads/w-1/events", () => pageOf([eventOf()]))
    .on("GET /api/v1/nodes", () => pageOf([nodeOf({ devices: [deviceOf()] })]))
    .on("GET /api/v1/projects", () => pageOf([projectOf("vision"), projectOf("speech")]))
    .on("GET /api/v1/notices", () => noticesOf([noticeOf()]))
    .on("POST /api/v1/notices/read", () => noticesOf([]))
    .on("GET /api/v1/tokens", () => pageOf([tokenOf({ name: "nightly" })]))
    .on("GET /api/v1/about", () => aboutOf())
    .on("GET /readyz", () => ({ ok: true, checks: [{ name: "database", ok: true, detail: "" }] }));
}

test("sign-in is without fault", async () => {
  serverCreate().on("GET /api/v1/auth/me", () => new Refused(401));
  consoleOpen("/");
  await screen.findByLabelText("Username");
  expect(await faults()).toEqual([]);
});

test("choosing a password is without fault", async () => {
  serverCreate().on("GET /api/v1/auth/me", () => identityOf({ must_change_password: true }));
  consoleOpen("/");
  await screen.findByLabelText("New password");
  expect(await faults()).toEqual([]);
});

test.each([
  ["/workloads", "train"],
  ["/nodes", "node-1"],
  ["/workloads/w-1?tab=replicas", "Rank"],
  ["/workloads/w-1?tab=history", "Submitted by ana"],
  ["/workloads/w-1?tab=spec", "As submitted"],
  ["/account?project=vision", "nightly"],
  ["/about", "SQLite"],
])("%s is without fault", async (address, sight) => {
  filled();
  consoleOpen(address);
  await screen.findAllByText(sight);
  expect(await faults()).toEqual([]);
});

test.each([
  ["the palette", "{Control>}k{/Control}", "New workload"],
  ["the sheet of keys", "?", "In lists"],
])("%s is without fault", async (_, keys, sight) => {
  filled();
  consoleOpen("/about");
  await screen.findByText("SQLite");
  await userEvent.keyboard(keys);
  await within(await screen.findByRole("dialog")).findByText(sight);
  expect(await faults()).toEqual([]);
});

test.each([
  ["notifications", /^Notifications/, "train failed: exit code 1."],
  ["the project switcher", /^Project/, "speech"],
  ["the account menu", "ana", "Account and tokens"],
])("%s is without fault", async (_, button, sight) => {
  filled();
  consoleOpen("/about");
  await screen.findByText("SQLite");
  await userEvent.click(screen.getByRole("button", { name: button }));
  await screen.findByText(sight);
  expect(await faults()).toEqual([]);
});

test("the first run is without fault", async () => {
  serverCreate();
  consoleOpen("/workloads");
  await screen.findByText("Run your first workload");
  expect(await faults()).toEqual([]);
});

test("a log is without fault", async () => {
  filled();
  consoleOpen("/workloads/w-1?tab=logs");
  await screen.findByRole("searchbox", { name: "Search the log" });
  const log = FakeEventSource.latest("/logs");
  act(() => {
    log.open();
    log.say("lines", [{ rank: 0, at: "2026-03-01T09:00:00Z", stream: "err", text: "a line" }]);
  });
  await screen.findByText("a line");
  expect(await faults()).toEqual([]);
});
