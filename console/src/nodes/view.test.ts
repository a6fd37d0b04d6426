import { expect, test } from "vitest";
import { deviceOf, nodeOf } from "../testing/documents";
import { nodeSentence } from "./NodePage";
import {
  domainsOf,
  isIdle,
  nodesShown,
  nodesViewRead,
  placeInWords,
  poolsOf,
  racksOf,
  typesOf,
} from "./view";

const held = deviceOf({ id: "a", gpu_milli_used: 1000, busy_milli: 900 });
const idle = deviceOf({ id: "b", gpu_milli_used: 1000, busy_milli: 10 });
const free = deviceOf({ id: "c" });
const ill = deviceOf({ id: "d", healthy: false, type: "A100" });

const nodes = [
  nodeOf({ name: "node-10", block: "b1", rack: "r2", devices: [held] }),
  nodeOf({ name: "node-2", block: "b1", rack: "r2", devices: [idle] }),
  nodeOf({ name: "node-3", block: "b1", rack: "r10", devices: [free] }),
  nodeOf({ name: "node-4", block: "a1", rack: "r1", state: "lost", devices: [ill] }),
  nodeOf({ name: "node-5", state: "cordoned", devices: [deviceOf({ id: "e" })] }),
];

const names = (found: { name: string }[]) => found.map(({ name }) => name);

test("racks come in the order in which people count", () => {
  expect(
    racksOf(nodes).map(({ block, rack, nodes: members }) => [block, rack, names(members)]),
  ).toEqual([
    ["", "", ["node-5"]],
    ["a1", "r1", ["node-4"]],
    ["b1", "r2", ["node-2", "node-10"]],
    ["b1", "r10", ["node-3"]],
  ]);
});

test("each way to look shows what it says", () => {
  expect(names(nodesShown(nodes, { show: "free" }))).toEqual(["node-3"]);
  expect(names(nodesShown(nodes, { show: "idle" }))).toEqual(["node-2"]);
  expect(names(nodesShown(nodes, { show: "trouble" }))).toEqual(["node-4"]);
  expect(names(nodesShown(nodes, { type: "A100" }))).toEqual(["node-4"]);
  expect(names(nodesShown(nodes, { q: "R1" }))).toEqual(["node-3", "node-4"]);
  expect(nodesShown(nodes, {})).toHaveLength(5);
  expect(typesOf(nodes)).toEqual(["A100", "H100"]);
});

test("pools and domains are found, counted and shown", () => {
  const pooled = [
    nodeOf({ name: "t-2", rack: "r1", nvlink: "d2", pool: "secure" }),
    nodeOf({ name: "t-10", rack: "r1", nvlink: "d1", pool: "secure" }),
    nodeOf({ name: "t-1", rack: "r1", nvlink: "d2" }),
  ];
  expect(names(nodesShown(pooled, { pool: "secure" }))).toEqual(["t-2", "t-10"]);
  expect(names(nodesShown(pooled, { q: "D1" }))).toEqual(["t-10"]);
  expect(poolsOf(pooled)).toEqual(["secure"]);
  const [rack] = racksOf(pooled);
  expect(
    rack && domainsOf(rack).map(({ nvlink, nodes: members }) => [nvlink, names(members)]),
  ).toEqual([
    ["d1", ["t-10"]],
    ["d2", ["t-1", "t-2"]],
  ]);
  expect(placeInWords(nodeOf({ block: "b", rack: "r", nvlink: "d" }))).toBe("b / r / NVLink d");
  expect(placeInWords(nodeOf())).toBe("");
});

test("what nobody measured is not called idle", () => {
  expect(isIdle(deviceOf({ gpu_milli_used: 1000, busy_milli: null }))).toBe(false);
});

test("an address says what is shown, and what it does not know is left out", () => {
  expect(nodesViewRead({ view: "list", show: "idle", type: "H100", q: "gpu", tab: "x" })).toEqual({
    view: "list",
    show: "idle",
    type: "H100",
    q: "gpu",
  });
  expect(nodesViewRead({ view: "cube", show: "all" })).toEqual({});
  expect(nodesViewRead({ view: "pools", pool: "a100" })).toEqual({ view: "pools", pool: "a100" });
});

test("a node is told in plain words", () => {
  expect(nodeSentence(nodeOf({ devices: [held, idle], replicas: 2 }))).toBe(
    "2 of 2 GPUs held, 0.91 really used. 2 replicas are placed here.",
  );
  expect(nodeSentence(nodeOf({ state: "cordoned", replicas: 1 }))).toBe(
    "It keeps what runs and takes nothing new. It has no GPUs. 1 replica is placed here.",
  );
});
