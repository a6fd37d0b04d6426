import { expect, test } from "vitest";
import { explanationOf, offeredOf } from "./documents";
import { buttonOf, formButtonOf, pathOf, placeInWords, specWith } from "./words";

test("a spec gets other fields, and the one that was given stays", () => {
  const spec = { name: "x", resources: { gpus: 4, nodes: { "a.b/zone": "eu", os: "linux" } } };
  const after = specWith(spec, [
    { field: "resources.gpus", value: 2 },
    { field: "resources.nodes.a.b/zone", value: null },
    { field: "topology.within", value: "block" },
  ]);
  expect(after).toEqual({
    name: "x",
    resources: { gpus: 2, nodes: { os: "linux" } },
    topology: { within: "block" },
  });
  expect(spec.resources.gpus).toBe(4);
  const grouped = { groups: [{ replicas: 3 }, { replicas: 1 }] };
  expect(specWith(grouped, [{ field: "groups.0.replicas", value: 2 }])).toEqual({
    groups: [{ replicas: 2 }, { replicas: 1 }],
  });
  expect(pathOf("resources.nodes.a.b/zone")).toEqual(["resources", "nodes", "a.b/zone"]);
});

test("buttons say what they do", () => {
  expect(buttonOf(offeredOf())).toBe("Resubmit with 2 GPUs");
  expect(formButtonOf(offeredOf())).toBe("Use 2 GPUs");
  expect(buttonOf(offeredOf({ axis: "gpu_type", after: "L4" }))).toBe("Resubmit with L4 GPUs");
  const priority = offeredOf({
    axis: "priority",
    how: "change",
    after: "60",
    fields: [{ field: "priority", value: 60 }],
  });
  expect(buttonOf(priority)).toBe("Set priority 60");
  expect(formButtonOf(priority)).toBe("Use priority 60");
  const limit = offeredOf({
    axis: "max_runtime",
    how: "change",
    after: "45 min",
    fields: [{ field: "max_runtime", value: "45m" }],
  });
  expect(buttonOf(limit)).toBe("Set time limit 45m");
});

test("a place in line is told with who is ahead", () => {
  const { position } = explanationOf();
  if (!position) throw new Error("It has a position.");
  expect(placeInWords(position)).toBe("3 of 12, 2 of 4 in its project, after large and 1 other");
  expect(placeInWords({ ...position, ahead: [], project_waiting: 12 })).toBe(
    "3 of 12, after work of other projects",
  );
});
