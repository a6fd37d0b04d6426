import { screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { consoleOpen, serverCreate } from "../testing/console";
import { deviceOf, nodeOf, pageOf } from "../testing/documents";
import { typesSummed } from "./NodesSummary";

const real = deviceOf({ gpu_milli_used: 500, memory_bytes_used: 40 * 2 ** 30, workloads: ["w-1"] });
const pretended = deviceOf({ id: "d-1", index: 1, virtual: true });

test("each GPU is a cell that says how much is held, and a virtual one says so", async () => {
  serverCreate().on("GET /api/v1/nodes", () => pageOf([nodeOf({ devices: [real, pretended] })]));
  consoleOpen("/nodes");
  expect(
    await screen.findByRole("img", { name: /GPU 0: .*50 % in use, 40 GiB of 80 GiB/ }),
  ).toBeInTheDocument();
  expect(screen.getByRole("img", { name: /GPU 1: .*Virtual: no hardware/ })).toBeInTheDocument();
  expect(screen.getByText("1 × H100 · 1 × H100 virtual · 0.5 in use")).toBeVisible();
});

test("virtual GPUs are never summed with real ones", () => {
  expect(typesSummed([nodeOf({ devices: [real, pretended] })])).toEqual([
    { type: "H100", virtual: false, devices: 1, heldMilli: 500 },
    { type: "H100", virtual: true, devices: 1, heldMilli: 0 },
  ]);
});

test("a cluster without nodes says how to get one", async () => {
  serverCreate();
  consoleOpen("/nodes");
  expect(await screen.findByText("podium up")).toBeVisible();
});
