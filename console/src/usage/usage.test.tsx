import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import type { Statements, UsageAmounts, UsageReport, UsageRow } from "../api/types";
import { consoleOpen, serverCreate } from "../testing/console";
import { identityOf } from "../testing/documents";
import { faults } from "../testing/faults";
import { columnsOf, daysOf, perOf, spanDays } from "./ask";
import { barColumns, OTHERS, topNames } from "./columns";
import { hoursInWords } from "./words";

function amountsOf(hours: number): UsageAmounts {
  return {
    gpu_milli_ms: 0,
    used_milli_ms: 0,
    idle_milli_ms: 0,
    borrowed_milli_ms: 0,
    measured_milli_ms: 0,
    gpu_hours: hours,
    used_gpu_hours: hours * 0.75,
    idle_gpu_hours: hours * 0.25,
    borrowed_gpu_hours: 0,
    cpu_core_hours: 0,
    cpu_core_hours_used: 0,
    memory_peak_bytes: 0,
    replicas_ended: 1,
    cost: { amount: (hours * 2).toFixed(2), currency: "EUR" },
    unpriced: [],
  };
}

function rowOf(name: string, since: string, hours: number): UsageRow {
  return { name, since: `${since}T00:00:00Z`, ...amountsOf(hours) };
}

function reportOf(items: UsageRow[], by: UsageReport["by"] = "team"): UsageReport {
  return {
    by,
    label: null,
    per: "day",
    since: "2026-03-01T00:00:00Z",
    until: "2026-03-04T00:00:00Z",
    currency: "EUR",
    items,
    total: amountsOf(items.reduce((sum, { gpu_hours }) => sum + gpu_hours, 0)),
    next_cursor: null,
  };
}

const days = { since: "2026-03-01", until: "2026-03-04" };

function served() {
  return serverCreate()
    .on("GET /api/v1/auth/me", () => identityOf({ administrator: true }))
    .on("GET /api/v1/usage/report", (request) => {
      const asked = new URL(request.url).searchParams;
      const by = asked.get("by");
      if (by === "organisation") return reportOf([rowOf("", days.since, 30)], by);
      return by === "team"
        ? reportOf([rowOf("nlp", days.since, 10), rowOf("vision", days.since, 20)])
        : reportOf([rowOf("speech", days.since, 20)], "project");
    });
}

test("teams stand with what they used, and one press opens their projects", async () => {
  const server = served();
  consoleOpen("/usage?since=2026-03-01&until=2026-03-04");
  const table = await screen.findByRole("table", { name: "Usage by team" });
  const names = within(table)
    .getAllByRole("rowheader")
    .map((each) => each.textContent);
  expect(names).toEqual(["vision", "nlp", "All"]);
  expect(table).toHaveTextContent("60.00");
  const chart = await screen.findByRole("img", { name: /GPU-hours per day by team/ });
  expect(chart).toHaveAccessibleName(/30 GPU-hours in all/);
  expect(screen.getByRole("link", { name: "CSV" })).toHaveAttribute(
    "href",
    "/api/v1/usage/report?since=2026-03-01&until=2026-03-04&by=team&per=day&format=csv",
  );
  expect(await faults()).toEqual([]);
  await userEvent.click(within(table).getByRole("button", { name: "vision" }));
  await screen.findByRole("table", { name: "Usage by project" });
  expect(window.location.search).toContain("team=vision");
  expect(server.last("GET", "/api/v1/usage/report")?.url).toContain("team=vision");
  await userEvent.click(screen.getByRole("button", { name: "Show not only team vision" }));
  await screen.findByRole("table", { name: "Usage by team" });
});

test("labels are told by the key that is written, and one press opens whose work has it", async () => {
  const server = served().on("GET /api/v1/usage/report", (request) => {
    const by = new URL(request.url).searchParams.get("by");
    if (by === "organisation") return reportOf([rowOf("", days.since, 30)], by);
    return by === "label"
      ? reportOf([rowOf("7", days.since, 20), rowOf("", days.since, 10)], by)
      : reportOf([rowOf("speech", days.since, 20)], "project");
  });
  consoleOpen("/usage?since=2026-03-01&until=2026-03-04");
  await screen.findByRole("table", { name: "Usage by team" });
  await userEvent.selectOptions(screen.getByRole("combobox", { name: "By" }), "Labels");
  expect(await screen.findByText("By which label?")).toBeVisible();
  expect(screen.queryByRole("link", { name: "CSV" })).toBeNull();
  await userEvent.type(screen.getByRole("textbox", { name: "Label key" }), "run{Enter}");
  const table = await screen.findByRole("table", { name: "Usage by label" });
  expect(table).toHaveTextContent("Without this label");
  expect(server.last("GET", "/api/v1/usage/report")?.url).not.toContain("label=run%3D");
  expect(screen.getByRole("link", { name: "CSV" })).toHaveAttribute(
    "href",
    "/api/v1/usage/report?since=2026-03-01&until=2026-03-04&by=label&by_label=run&per=day&format=csv",
  );
  expect(await faults()).toEqual([]);
  await userEvent.click(within(table).getByRole("button", { name: "7" }));
  await screen.findByRole("table", { name: "Usage by project" });
  expect(server.last("GET", "/api/v1/usage/report")?.url).toContain("label=run%3D7");
  await userEvent.click(screen.getByRole("button", { name: "Show not only label run=7" }));
  await screen.findByRole("table", { name: "Usage by label" });
});

test("nothing used is said with what would be", async () => {
  served().on("GET /api/v1/usage/report", () => reportOf([]));
  consoleOpen("/usage");
  expect(await screen.findByText("Nothing was used")).toBeVisible();
});

test("a statement has its lines and its total, and is printed", async () => {
  const statements: Statements = {
    by: "cost_centre",
    since: "2026-03-01T00:00:00Z",
    until: "2026-04-01T00:00:00Z",
    final: false,
    currency: "EUR",
    total: "25.00",
    unpriced: [],
    items: [
      {
        name: "CC-1",
        total: "25.00",
        unpriced: [{ gpu_type: "L4", gpu_hours: 2 }],
        lines: [
          {
            project: "vision",
            gpu_type: "A100",
            since: null,
            gpu_hours: 10,
            borrowed_gpu_hours: 2,
            idle_gpu_hours: 1,
            per_gpu_hour: "2.5",
            borrowed_per_gpu_hour: "1.2",
            idle_per_gpu_hour: "0",
            amount: "22.40",
          },
        ],
      },
      { name: "", total: null, unpriced: [], lines: [] },
    ],
  };
  const print = vi.fn();
  vi.stubGlobal("print", print);
  served().on("GET /api/v1/cost", () => statements);
  consoleOpen("/usage/statements?month=2026-03");
  const bill = await screen.findByRole("article", { name: "CC-1" });
  expect(bill).toHaveTextContent("1 March 2026 to 31 March 2026 (UTC)");
  expect(bill).toHaveTextContent(
    "vision A100 8.00 2.50 2.00 1.20 1.00 0.00 22.40".replace(/ /g, ""),
  );
  expect(bill).toHaveTextContent("2.00 GPU-hours of L4 have no price");
  expect(bill).toHaveTextContent("Not final");
  expect(screen.getByRole("article", { name: "No cost centre" })).toBeVisible();
  await userEvent.click(screen.getByRole("button", { name: "Print" }));
  expect(print).toHaveBeenCalledOnce();
  expect(await faults()).toEqual([]);
});

test("days are read from the address, and this month is usual", () => {
  const now = Date.parse("2026-03-15T12:00:00Z");
  expect(daysOf({}, now)).toEqual({ since: "2026-03-01", until: "2026-03-16" });
  expect(daysOf({ since: "2026-13-01" }, now).since).toBe("2026-03-01");
  expect(daysOf({ since: "2026-03-09", until: "2026-03-02" }, now).since).toBe("2026-03-01");
  expect(spanDays("last", now)).toEqual({ since: "2026-02-01", until: "2026-03-01" });
  expect(perOf({}, spanDays("year", now))).toBe("month");
  expect(columnsOf({ since: "2026-01-15", until: "2026-03-02" }, "month")).toEqual([
    "2026-01-15",
    "2026-02-01",
    "2026-03-01",
  ]);
});

test("columns are made of the names with the most, and the others", () => {
  const names = Array.from({ length: 9 }, (_, at) => rowOf(`t-${at}`, days.since, at + 1));
  const named = reportOf(names);
  const top = topNames(named, "hours");
  expect(top).toHaveLength(7);
  const whole = reportOf([rowOf("", days.since, 45)]);
  const [first, second] = barColumns({ named, whole, top, days, per: "day", measure: "hours" });
  expect(first?.parts.at(-1)).toEqual({ id: OTHERS, value: 3 });
  expect(second?.parts.every(({ value }) => value === 0)).toBe(true);
  expect(hoursInWords(0.004)).toBe("< 0.01");
});
