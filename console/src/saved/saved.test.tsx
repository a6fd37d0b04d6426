import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { consoleOpen, serverCreate } from "../testing/console";
import { pageOf, workloadOf } from "../testing/documents";
import { Refused } from "../testing/server";

function viewOf(name: string, search: string) {
  return { page: "workloads", name, search, updated_at: "2026-03-01T09:00:00Z" };
}

function listed(...views: ReturnType<typeof viewOf>[]) {
  return serverCreate()
    .on("GET /api/v1/workloads", () => pageOf([workloadOf()]))
    .on("GET /api/v1/views", () => ({ items: views }));
}

const tab = (name: string | RegExp) => screen.findByRole("link", { name });

test("how the list is now can be kept under a name", async () => {
  const views: ReturnType<typeof viewOf>[] = [];
  const server = listed()
    .on("GET /api/v1/views", () => ({ items: views }))
    .on("PUT /api/v1/views/workloads/My%20failures", () => {
      views.push(viewOf("My failures", "state=failed&sort=name"));
      return views[0];
    });
  consoleOpen("/workloads?state=failed&sort=name");
  await userEvent.click(await screen.findByRole("button", { name: "Save view" }));
  await userEvent.type(await screen.findByLabelText("Name of the view"), "My failures{Enter}");
  expect(await tab("My failures")).toHaveAttribute("aria-current", "true");
  expect(window.location.search).toBe("?state=failed&sort=name&view=My+failures");
  const kept = server.last("PUT", "/api/v1/views/workloads/My%20failures");
  expect(await kept?.json()).toEqual({ search: "state=failed&sort=name" });
});

test("a saved view is opened, and says when it was changed since", async () => {
  listed(viewOf("Big", "kind=training&columns=name+gpus"));
  consoleOpen("/workloads?state=failed&project=vision");
  await userEvent.click(await tab("Big"));
  await waitFor(() =>
    expect(window.location.search).toBe("?project=vision&kind=training&columns=name+gpus&view=Big"),
  );
  expect(await tab("Big")).toHaveAttribute("aria-current", "true");
  await userEvent.click(screen.getByRole("button", { name: "Mine" }));
  expect(await tab(/Big.*changed/)).toHaveAttribute("aria-current", "true");
});

test("a view is renamed and deleted, and a refusal is said", async () => {
  const server = listed(viewOf("Big", "kind=training"))
    .on("PUT /api/v1/views/workloads/Bad", () => new Refused(422, { detail: "Not this name." }))
    .on("PUT /api/v1/views/workloads/Large", () => viewOf("Large", "kind=training"))
    .on("DELETE /api/v1/views/workloads/Big", () => undefined);
  consoleOpen("/workloads?kind=training&view=Big");
  await userEvent.click(await screen.findByRole("button", { name: "View Big" }));
  await userEvent.click(await screen.findByRole("menuitem", { name: "Rename" }));
  const field = await screen.findByLabelText("Name of the view");
  await userEvent.clear(field);
  await userEvent.type(field, "Bad{Enter}");
  expect(await screen.findByText("Not this name.")).toBeVisible();
  await userEvent.clear(field);
  await userEvent.type(field, "Large{Enter}");
  await waitFor(() => expect(window.location.search).toBe("?kind=training&view=Large"));
  expect(server.last("DELETE", "/api/v1/views/workloads/Big")).toBeDefined();
});
