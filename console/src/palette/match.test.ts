import { expect, test } from "vitest";
import { matchScore } from "./match";

test.each([
  ["Nodes and GPUs", "nodes", "Overview"],
  ["Nodes and GPUs", "gpu", "Go up and sum"],
  ["New workload", "nw", "Use dark colours"],
  ["llama-70b-finetune", "finetune", "fine-grained tuning set"],
  ["vision", "vis", "supervision"],
])("%s is found by %s before %s", (better, typed, worse) => {
  expect(matchScore(better, typed)).toBeGreaterThan(matchScore(worse, typed));
});

test("letters that are not there find nothing, nor do strewn ones", () => {
  expect(matchScore("Queue", "x")).toBe(0);
  expect(matchScore("Show times in this computer's zone", "hms")).toBe(0);
});

test("what was typed is text and no pattern", () => {
  expect(matchScore("a.b", "a.b")).toBe(1);
  expect(matchScore("axb", "a.b")).toBe(0);
  expect(matchScore("train (2)", "(2")).toBeGreaterThan(0.5);
});
