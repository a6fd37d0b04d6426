import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { consoleOpen, serverCreate } from "../testing/console";
import { deviceOf, nodeOf, pageOf } from "../testing/documents";
import { amounts, shareInWords, shares, strandedInWords } from "./fragmentation";

const at = "2026-03-01T10:00:00Z";
const point = (free: number, stranded: number, split = 0) => ({
  at,
  free_milli: free,
  stranded_milli: stranded,
  split_milli: split,
});

test("what is stranded in words", () => {
  expect(strandedInWords([])).toBe("");
  expect(strandedInWords([point(0, 0)])).toBe("Nothing is free, so nothing is stranded.");
  expect(strandedInWords([point(1000, 0)])).toBe(
    "1 GPU is free. A typical request can use all of it.",
  );
  expect(strandedInWords([point(12_400, 3100)])).toBe(
    "12.4 GPUs are free, of which 3.1 are stranded (25\u00a0%).",
  );
  expect(strandedInWords([point(2000, 2000)])).toMatch("all of it is stranded");
  expect(shareInWords(point(0, 0))).toBe("–");
});

test("stranded and of use are together what is free", () => {
  const [stranded, usable] = amounts([point(4000, 1000)]);
  expect(stranded?.points[0]?.value).toBe(1);
  expect(usable?.points[0]?.value).toBe(3);
  const stock = { gpu_type: "H100", pool: "fast", points: [point(4000, 1000), point(0, 0)] };
  const [line] = shares({ since: at, until: at, step_seconds: 60, points: [], stocks: [stock] });
  expect(line?.name).toBe("H100 in fast");
  expect(line?.points.map(({ value }) => value)).toEqual([25, null]);
});

test("the page says it, of one type if asked", async () => {
  const user = userEvent.setup();
  const devices = [deviceOf(), deviceOf({ id: "d-1", index: 1, type: "L4" })];
  const asked: string[] = [];
  serverCreate()
    .on("GET /api/v1/nodes", () => pageOf([nodeOf({ devices })]))
    .on("GET /api/v1/fragmentation", ({ url }) => {
      const type = new URL(url).searchParams.get("gpu_type");
      asked.push(type ?? "all");
      const stocks = ["H100", "L4"]
        .filter((each) => !type || each === type)
        .map((gpu_type) => ({ gpu_type, pool: "", points: [point(1500, 500, 500)] }));
      return { since: at, until: at, step_seconds: 60, points: [point(3000, 1000, 1000)], stocks };
    });
  await consoleOpen("/nodes?range=7d");
  await user.click(await screen.findByText("Fragmentation"));
  expect(await screen.findByText(/^3 GPUs are free, of which 1 is stranded/)).toBeVisible();
  const table = screen.getByRole("table", { name: "Stranded by type of GPU" });
  expect(within(table).getByRole("row", { name: /H100/ })).toHaveTextContent("H1001.50.533 %0.5");
  expect(screen.queryByRole("searchbox")).toBeNull();
  expect(screen.getByRole("button", { name: "7 d" })).toHaveAttribute("aria-pressed", "true");
  await user.click(screen.getByRole("combobox", { name: "GPU type" }));
  await user.click(await screen.findByRole("option", { name: "L4" }));
  await waitFor(() => expect(within(table).queryByRole("row", { name: /H100/ })).toBeNull());
  expect(within(table).getByRole("row", { name: /L4/ })).toBeVisible();
  expect(asked.at(-1)).toBe("L4");
});
