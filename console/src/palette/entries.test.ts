import { expect, test } from "vitest";
import type { Found } from "../api/types";
import type { Command } from "./commands";
import { groupsOf, hrefOf } from "./entries";

const command = (name: string, group: Command["group"], keywords = ""): Command => ({
  id: name,
  name,
  keywords,
  ...(group && { group }),
  run: () => {},
});

const commands = [
  command("Workloads", "Go to", "training jobs"),
  command("Queue", "Go to", "waiting"),
  command("New workload", "Do", "submit"),
  command("Cancel train", "This page"),
];

const found: Found[] = [
  { kind: "node", id: "train-1", title: "train-1", detail: "ready", state: null },
  { kind: "workload", id: "w-1", title: "train", detail: "vision", state: "running" },
];

const shown = (typed: string, recent = [] as { title: string; detail: string; href: string }[]) =>
  groupsOf(typed, commands, recent, typed ? found : []).map(
    ({ title, entries }) => `${title}: ${entries.map((each) => each.title).join(", ")}`,
  );

test("at rest the page comes first, then where one was lately", () => {
  expect(shown("", [{ title: "eval", detail: "", href: "/workloads/w-9" }])).toEqual([
    "This page: Cancel train",
    "Recent: eval",
    "Go to: Workloads, Queue",
    "Do: New workload",
  ]);
});

test("what is called so comes before what was found, and what could be meant after it", () => {
  expect(shown("train")).toEqual([
    "This page: Cancel train",
    "Workloads: train",
    "Nodes: train-1",
    "Also: Workloads",
  ]);
});

test.each([
  ["workload", "w-1", "/workloads/w-1"],
  ["node", "rack 1/a", "/nodes/rack%201%2Fa"],
  ["project", "vision", "/?project=vision"],
  ["user", "ana", "/workloads?owner=ana"],
] as const)("a %s called %s is at %s", (kind, id, href) => {
  expect(hrefOf(kind, id)).toBe(href);
});
