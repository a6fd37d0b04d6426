import { act, render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import { consoleOpen, serverCreate } from "../testing/console";
import { detailOf, eventOf, pageOf, projectOf, workloadOf } from "../testing/documents";
import { useCommands } from "./commands";
import { paletteClose, paletteOpen } from "./opened";
import { hrefKeeping } from "./Palette";

beforeEach(() => {
  localStorage.clear();
  paletteClose();
});

async function opened(address = "/account") {
  consoleOpen(address);
  await screen.findByRole("heading", { level: 1 });
  await userEvent.keyboard("{Control>}k{/Control}");
  return screen.findByRole("combobox", { name: "Search or do" });
}

test("it opens on Ctrl K, goes where one says, and keeps the project", async () => {
  serverCreate();
  const field = await opened("/account?project=vision");
  expect(field).toHaveFocus();
  await userEvent.type(field, "about");
  const option = await screen.findByRole("option", { name: /About Podium/ });
  expect(option).toHaveAttribute("aria-selected", "true");
  expect(field).toHaveAttribute("aria-activedescendant", option.id);
  await userEvent.keyboard("{Enter}");
  expect(await screen.findByRole("heading", { level: 1, name: "About" })).toBeVisible();
  expect(window.location.search).toBe("?project=vision");
  expect(screen.queryByRole("combobox", { name: "Search or do" })).toBeNull();
});

test("it finds what the server knows, in groups, says how many, and remembers where one went", async () => {
  const server = serverCreate()
    .on("GET /api/v1/workloads", () => pageOf([workloadOf()]))
    .on("GET /api/v1/workloads/w-1", () => detailOf())
    .on("GET /api/v1/workloads/w-1/events", () => pageOf([eventOf()]))
    .on("GET /api/v1/search", () => ({
      items: [
        { kind: "node", id: "node-7", title: "node-7", detail: "ready", state: null },
        {
          kind: "workload",
          id: "w-1",
          title: "zebra-train",
          detail: "vision · ana",
          state: "running",
        },
      ],
    }));
  const field = await opened("/account?project=other");
  await userEvent.type(field, "zebra");
  const group = await screen.findByRole("group", { name: "Workloads" });
  expect(within(group).getByRole("option", { name: /zebra-train/ })).toBeVisible();
  expect(screen.getByRole("group", { name: "Nodes" })).toBeVisible();
  expect(await screen.findByText("2 results")).toHaveAttribute("role", "status");
  const asked = server.asked.filter(({ url }) => url.includes("/search"));
  expect(asked.map(({ url }) => new URL(url).searchParams.get("q"))).toEqual(["zebra"]);

  await userEvent.keyboard("{Enter}");
  await waitFor(() => expect(window.location.pathname).toBe("/workloads/w-1"));
  // It may be of another project than the one that is chosen.
  expect(window.location.search).toBe("");
  await userEvent.keyboard("{Control>}k{/Control}");
  const recent = await screen.findByRole("group", { name: "Recent" });
  expect(within(recent).getByRole("option", { name: /zebra-train/ })).toBeVisible();
});

test("what a page offers stands first while it is open, and runs as it is now", async () => {
  serverCreate();
  const run = vi.fn();
  function Page({ name }: { name: string }) {
    useCommands([
      { id: "x", name, group: "This page", keys: "x", run: () => run(name) },
      // A page's own takes the place of the frame's.
      { id: "make workload", name: "New workload from this", run: () => run("made") },
    ]);
    return null;
  }
  const field = await opened();
  const page = render(<Page name="Cancel train" />);
  page.rerender(<Page name="Cancel sweep" />);
  const group = await screen.findByRole("group", { name: "This page" });
  expect(within(group).getByRole("option", { name: /Cancel sweep/ })).toHaveAttribute(
    "aria-selected",
    "true",
  );
  expect(screen.getAllByRole("option", { name: /New workload/ })).toHaveLength(1);
  await userEvent.type(field, "{Enter}");
  expect(run).toHaveBeenLastCalledWith("Cancel sweep");
  page.unmount();
  await userEvent.keyboard("x");
  expect(run).toHaveBeenCalledTimes(1);
});

test("two keys jump, one makes, and none of it while one types", async () => {
  serverCreate().on("GET /api/v1/projects", () => pageOf([projectOf("vision")]));
  consoleOpen("/account");
  await screen.findByRole("heading", { level: 1, name: "Account" });
  await userEvent.type(screen.getByLabelText("Current password"), "gnc");
  expect(window.location.pathname).toBe("/account");
  act(() => (document.activeElement as HTMLElement).blur());
  await userEvent.keyboard("gn");
  expect(await screen.findByRole("heading", { level: 1, name: /Nodes and GPUs/ })).toBeVisible();
  await userEvent.keyboard("c");
  await waitFor(() => expect(window.location.pathname).toBe("/submit"));
});

test("the sheet of keys is made from the commands that are there", async () => {
  serverCreate();
  consoleOpen("/account");
  await screen.findByRole("heading", { level: 1, name: "Account" });
  await userEvent.keyboard("?");
  const sheet = await screen.findByRole("dialog", { name: "Keys" });
  expect(within(sheet).getByText("New workload").closest("div")).toHaveTextContent("c");
  expect(within(sheet).getByText("Queue").closest("div")).toHaveTextContent("gq");
});

test.each([
  ["/nodes/n-1", "?project=a&project=b", "/nodes/n-1?project=a&project=b"],
  ["/workloads/w-1", "?project=a", "/workloads/w-1"],
  ["/?project=x", "?project=a", "/?project=x"],
])("%s opened from %s is %s", (href, search, kept) => {
  expect(hrefKeeping(href, search)).toBe(kept);
});

test("what is typed while it is still on its way is kept, and runs no key of the page", async () => {
  serverCreate();
  consoleOpen("/account");
  await screen.findByRole("heading", { level: 1 });
  act(paletteOpen);
  await userEvent.keyboard("cab");
  const field = await screen.findByRole("combobox", { name: "Search or do" });
  await waitFor(() => expect(field).toHaveValue("cab"));
  expect(window.location.pathname).toBe("/account");
});
