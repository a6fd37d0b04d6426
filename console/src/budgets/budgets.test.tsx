import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import type { Budget } from "../api/types";
import { consoleOpen, serverCreate } from "../testing/console";
import { identityOf, pageOf, projectOf } from "../testing/documents";
import { faults } from "../testing/faults";
import { type FakeServer, Refused } from "../testing/server";
import { amountOf, draftOf, requestOf } from "./draft";
import { amountInWords, budgetInWords, outlookInWords } from "./words";

function budgetOf(given: Partial<Budget> = {}): Budget {
  return {
    name: "nlp-gpus",
    level: "team",
    target: "nlp",
    whose: "team nlp",
    amount: "500.000",
    currency: null,
    period: "month",
    gpu_types: [],
    thresholds: [50, 80, 100],
    when_spent: "block",
    note: "",
    since: "2026-03-01T00:00:00Z",
    until: "2026-04-01T00:00:00Z",
    spent: "200.000",
    percent: 40,
    left: "300.000",
    per_hour: "8.000",
    runs_out_at: "2026-03-20T12:00:00Z",
    state: "good",
    updated_at: "2026-03-01T09:00:00Z",
    updated_by: "ana",
    ...given,
  };
}

function served(items: Budget[], administrator = true): FakeServer {
  return serverCreate()
    .on("GET /api/v1/auth/me", () =>
      administrator
        ? identityOf({ everywhere: ["budget:set", "usage:read", "user:read"] })
        : identityOf(),
    )
    .on("GET /api/v1/budgets", () => ({ items }))
    .on("GET /api/v1/prices", () => ({ items: [] }))
    .on("GET /api/v1/quotas", () => ({ items: [], capacity: [], half_life_seconds: 1 }))
    .on("GET /api/v1/teams", () => pageOf([{ name: "nlp", cost_centre: "CC-1", created_at: "" }]))
    .on("GET /api/v1/projects", () => pageOf([projectOf("vision")]));
}

test("budgets stand with what is spent, the most pressing first", async () => {
  served([
    budgetOf(),
    budgetOf({ name: "all", state: "spent", spent: "510.000", percent: 102, left: "-10.000" }),
    budgetOf({ name: "unpriced", spent: null, percent: 0, currency: "EUR" }),
  ]);
  consoleOpen("/budgets");
  const list = await screen.findByRole("list", { name: "Budgets" });
  const names = within(list)
    .getAllByRole("heading")
    .map((each) => each.textContent);
  expect(names).toEqual(["all", "nlp-gpus", "unpriced"]);
  expect(list).toHaveTextContent("Spent. Nothing new starts until");
  expect(list).toHaveTextContent("if what runs now goes on (8 GPU-hours an hour)");
  expect(list).toHaveTextContent("No price");
  expect(screen.getByText(/1 of them spent and holding work back/)).toBeVisible();
  const meter = screen.getByRole("meter", { name: "Spent of all" });
  expect(meter).toHaveAttribute("aria-valuetext", "510 GPU-hours of 500 GPU-hours, 102 %");
  expect(await faults()).toEqual([]);
});

test("who may not set budgets sees them and is told what one is", async () => {
  served([], false);
  consoleOpen("/budgets");
  expect(await screen.findByText(/Nothing limits what you spend/)).toBeVisible();
  expect(screen.queryByRole("button", { name: "New budget" })).toBeNull();
});

test("a budget is set; what is wrong stands at the field, and its words tell what it does", async () => {
  const server = served([]).on(
    "PUT /api/v1/budgets/nlp",
    () =>
      new Refused(422, {
        faults: [{ field: "target", message: "There is no team nlp.", remedy: "Name one." }],
      }),
  );
  consoleOpen("/budgets");
  await userEvent.click(await screen.findByRole("button", { name: "New budget" }));
  const form = screen.getByRole("form", { name: "New budget" });
  await userEvent.click(within(form).getByRole("button", { name: "Set budget" }));
  expect(form).toHaveTextContent("Write a name, like nlp-gpus.");
  expect(form).toHaveTextContent("Write an amount above zero");
  await userEvent.type(within(form).getByLabelText("Name"), "nlp");
  await userEvent.click(within(form).getByRole("combobox", { name: "Team" }));
  await userEvent.click(await screen.findByRole("option", { name: "nlp" }));
  await userEvent.type(within(form).getByRole("textbox", { name: "GPU-hours" }), "1,500");
  await userEvent.click(within(form).getByLabelText("Let nothing new start"));
  expect(form).toHaveTextContent("Team nlp may spend 1,500 GPU-hours each month.");
  expect(form).toHaveTextContent("told at 50 %, 80 % and 100 %");
  await userEvent.click(within(form).getByRole("button", { name: "Set budget" }));
  expect(await within(form).findByText("There is no team nlp. Name one.")).toBeVisible();
  expect(await server.last("PUT", "/api/v1/budgets/nlp")?.json()).toEqual({
    level: "team",
    target: "nlp",
    gpu_hours: "1500",
    period: "month",
    gpu_types: [],
    thresholds: [50, 80, 100],
    when_spent: "block",
    note: "",
    name: undefined,
  });
  expect(await faults()).toEqual([]);
});

test("deleting says what it lets go", async () => {
  const server = served([budgetOf({ state: "spent", percent: 100 })]).on(
    "DELETE /api/v1/budgets/nlp-gpus",
    () => undefined,
  );
  consoleOpen("/budgets");
  await userEvent.click(await screen.findByRole("button", { name: "Delete nlp-gpus" }));
  const dialog = await screen.findByRole("dialog");
  expect(dialog).toHaveTextContent("What it holds back of team nlp may start at once.");
  await userEvent.click(within(dialog).getByRole("button", { name: "Delete nlp-gpus" }));
  expect(server.last("DELETE", "/api/v1/budgets/nlp-gpus")).toBeDefined();
});

test("amounts and what comes next in words", () => {
  expect(amountInWords("1.000", null)).toBe("1 GPU-hour");
  expect(amountInWords("20000.5", "EUR")).toBe("20,000.50 EUR");
  expect(amountOf("1 500,5")).toBe("1500.5");
  expect(amountOf("0")).toBeNull();
  const said = (given: Partial<Budget>) => outlookInWords(budgetOf(given), () => "soon");
  expect(said({ runs_out_at: null })).toBe("Lasts until the period ends, with what runs now.");
  expect(said({ runs_out_at: null, per_hour: "0.000" })).toBe("Nothing that it counts runs now.");
  expect(said({ state: "spent", when_spent: "warn" })).toBe("Spent; whole again soon.");
  expect(
    budgetInWords({ ...budgetOf(), gpu_types: ["H100", "A100"], when_spent: "stop" }),
  ).toContain("on H100 and A100 alone");
});

test("a draft that is not whole names its fields", () => {
  const draft = { ...draftOf(undefined, "organisation"), thresholds: ["50", "120"] };
  expect(requestOf(draft)).toEqual({
    faults: {
      name: expect.any(String),
      gpu_hours: expect.any(String),
      thresholds: expect.stringContaining("1 to 100"),
    },
  });
});
