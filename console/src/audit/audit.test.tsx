import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import axe from "axe-core";
import { expect, test, vi } from "vitest";
import type { AuditEntry } from "../api/types";
import { consoleOpen, serverCreate } from "../testing/console";
import { detailOf, identityOf, pageOf } from "../testing/documents";
import { Refused } from "../testing/server";
import { changedVerdict, entryOf, refusedEntry, stateOf, verdictOf } from "./auditDocuments";

async function faults(): Promise<string[]> {
  const { violations } = await axe.run(document.body, {
    rules: { "color-contrast": { enabled: false } },
  });
  return violations.map(({ id, nodes }) => `${id} ${nodes.map(({ html }) => html).join(" ")}`);
}

const declared = entryOf({
  seq: 7,
  action: "audit:break",
  subject: "audit",
  detail: { reason: "Restored a backup.", first: 4, last: 5 },
});

function serve(entries: AuditEntry[] = [entryOf(), refusedEntry]) {
  return serverCreate()
    .on("GET /api/v1/auth/me", () => identityOf({ administrator: true }))
    .on("GET /api/v1/audit", (request) => {
      const query = new URL(request.url).searchParams;
      if (query.get("action") === "audit:break") return pageOf([declared]);
      const outcome = query.get("outcome");
      return pageOf(entries.filter((each) => outcome === null || each.outcome === outcome));
    })
    .on("GET /api/v1/audit/12", () => entryOf())
    .on("GET /api/v1/audit/actions", () => ({ items: ["quota:set", "user:sign-in"] }))
    .on("GET /api/v1/audit/state", () => stateOf())
    .on("GET /api/v1/audit/forwards", () => ({ items: [] }));
}

test("the trail tells who did what, and its state how far it is sealed", async () => {
  serve();
  consoleOpen("/audit");
  const trail = await screen.findByRole("table", { name: "Entries" });
  const done = within(trail).getByRole("row", { name: /Set a quota/ });
  for (const words of ["ana", "weight 1 → 2, and 1 more", "10.0.0.7", "Allowed"]) {
    expect(within(done).getByText(words)).toBeVisible();
  }
  const refused = within(trail).getByRole("row", { name: /Tried to sign in/ });
  expect(within(refused).getByText("Nobody")).toBeVisible();
  expect(within(refused).getByText("Refused")).toBeVisible();
  expect(within(trail).getAllByRole("rowheader")).toHaveLength(2);
  const state = screen.getByRole("region", { name: "State of the trail" });
  expect(state).toHaveTextContent(/Sealed through entry 10, .*2 newer entries are not sealed yet/);
  expect(state).toHaveTextContent("400 days");
  expect(within(state).getByText("e2293d9b1bd6ff37")).toBeVisible();
  expect(await within(state).findByText("Restored a backup.")).toBeVisible();
  expect(await within(state).findByText("nowhere")).toBeVisible();
  expect(await faults()).toEqual([]);
});

test("an entry opens beside the trail with its difference, origin and hash", async () => {
  serve();
  consoleOpen("/audit");
  await userEvent.click(await screen.findByRole("link", { name: /Set a quota/ }));
  const panel = await screen.findByRole("complementary", { name: "Entry" });
  expect(window.location.search).toContain("entry=12");
  const changed = within(panel).getByRole("region", { name: "What changed" });
  expect(within(changed).getByRole("row", { name: /weight 1 2/ })).toBeVisible();
  expect(within(changed).getByText("1 field stayed the same")).toBeVisible();
  expect(within(panel).getByText("09f9a21cf25efade")).toBeVisible();
  expect(within(panel).getByText(/^Not yet: the next seal/)).toBeVisible();
  expect(within(panel).getByRole("link", { name: "vision" })).toHaveAttribute("href", "/queue");
  expect(await faults()).toEqual([]);
  await userEvent.keyboard("j");
  expect(await within(panel).findByText("Entry 11")).toBeVisible();
  await userEvent.keyboard("{Escape}");
  await waitFor(() => expect(screen.queryByRole("complementary", { name: "Entry" })).toBeNull());
});

test("filters stand in the address and are asked of the server", async () => {
  const server = serve();
  consoleOpen("/audit?actor=ana&project=vision");
  await screen.findByRole("table", { name: "Entries" });
  await userEvent.click(screen.getByRole("button", { name: "Refused" }));
  await waitFor(() => expect(screen.queryByText("Set a quota")).toBeNull());
  await userEvent.click(screen.getByRole("button", { name: "Action" }));
  await userEvent.type(await screen.findByLabelText("Search actions"), "quota{Enter}");
  await waitFor(() => expect(window.location.search).toContain("action=quota%3Aset"));
  const asked = new URL(server.last("GET", "/api/v1/audit")?.url ?? "").searchParams;
  expect(Object.fromEntries(asked)).toMatchObject({
    actor: "ana",
    action: "quota:set",
    outcome: "refused",
    project: "vision",
  });
  await userEvent.click(screen.getByRole("button", { name: "Remove the filter Who ana" }));
  expect(window.location.search).not.toContain("actor");
  await userEvent.click(screen.getByRole("button", { name: "Clear" }));
  await waitFor(() => expect(window.location.search).toBe("?project=vision"));
});

test("new entries come by themselves, and wait while someone reads", async () => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  try {
    const entries = [entryOf(), refusedEntry];
    serve(entries);
    consoleOpen("/audit");
    const trail = await screen.findByRole("table", { name: "Entries" });
    entries.unshift(entryOf({ seq: 13, action: "price:set", detail: {} }));
    await vi.advanceTimersByTimeAsync(4_500);
    expect(await within(trail).findByText(/Set a price/)).toBeVisible();
    const user = userEvent.setup({ advanceTimers: vi.advanceTimersByTime });
    await user.hover(within(trail).getByText(/Set a quota/));
    entries.unshift(entryOf({ seq: 14, action: "pool:set", detail: {} }));
    await vi.advanceTimersByTimeAsync(4_500);
    await user.click(await screen.findByRole("button", { name: "Show 1 new" }));
    expect(within(trail).getByText(/Changed a pool/)).toBeVisible();
  } finally {
    vi.useRealTimers();
  }
});

test("verifying says that all is whole", async () => {
  serve().on("POST /api/v1/audit/verify", () => verdictOf());
  consoleOpen("/audit");
  await userEvent.click(await screen.findByRole("button", { name: "Verify" }));
  expect(await screen.findByText("Whole: entries 1 to 12 are as they were written.")).toBeVisible();
  expect(screen.queryByText("What to do")).toBeNull();
});

test("verifying says which entry is wrong, what to do, and a break can be declared", async () => {
  const server = serve()
    .on("POST /api/v1/audit/verify", () => changedVerdict)
    .on("POST /api/v1/audit/break", () => ({
      seq: 12,
      at: "2026-03-01T09:00:00Z",
      by: "ana",
      reason: "A disk failed.",
      first_seq: 11,
      last_seq: 11,
    }));
  consoleOpen("/audit");
  await userEvent.click(await screen.findByRole("button", { name: "Verify" }));
  expect(
    await screen.findByText("Changed: entry 11 is the first that may be wrong."),
  ).toBeVisible();
  expect(screen.getByRole("link", { name: "Look at entry 11" })).toBeVisible();
  expect(screen.getByText(/^Keep what is there/)).toBeVisible();
  expect(await faults()).toEqual([]);
  await userEvent.click(screen.getByRole("button", { name: "Declare a break…" }));
  const dialog = await screen.findByRole("dialog");
  await userEvent.click(within(dialog).getByRole("button", { name: "Declare a break" }));
  expect(within(dialog).getByText("Say in a sentence what happened.")).toBeVisible();
  await userEvent.type(within(dialog).getByLabelText("What happened"), "A disk failed.");
  await userEvent.click(within(dialog).getByRole("button", { name: "Declare a break" }));
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  const sent = await server.last("POST", "/api/v1/audit/break")?.json();
  expect(sent).toEqual({ reason: "A disk failed." });
});

test("an alarm is said before anyone asks, and that sealing has stopped", async () => {
  serve().on("GET /api/v1/audit/state", () => stateOf({ alarm: "Entry 11 was changed." }));
  consoleOpen("/audit");
  expect(await screen.findByRole("alert")).toHaveTextContent(
    /Entry 11 was changed. Until this is explained, nothing more is sealed/,
  );
});

test("what another one verifies already is said", async () => {
  serve().on(
    "POST /api/v1/audit/verify",
    () => new Refused(429, { detail: "The trail is being verified already. Try again." }),
  );
  consoleOpen("/audit");
  await userEvent.click(await screen.findByRole("button", { name: "Verify" }));
  expect(await screen.findByText(/being verified already/)).toBeVisible();
});

test("the server writes what fits the filters, and tells the trail of it", async () => {
  serve();
  consoleOpen("/audit?actor=ana&outcome=refused&range=1h");
  await userEvent.click(await screen.findByRole("button", { name: "Export" }));
  const fitting = await screen.findByRole("menuitem", { name: /What fits the filters/ });
  expect(fitting.getAttribute("href")).toMatch(
    /^\/api\/v1\/audit\/export\?actor=ana&outcome=refused&since=2\S+$/,
  );
  expect(fitting).toHaveTextContent("cannot be verified");
  expect(screen.getByRole("menuitem", { name: /The sealed trail of this time/ })).toHaveAttribute(
    "href",
    expect.stringMatching(/^\/api\/v1\/audit\/export\?since=2\S+$/),
  );
});

test("without filters there is one export, the sealed one", async () => {
  serve();
  consoleOpen("/audit");
  await userEvent.click(await screen.findByRole("button", { name: "Export" }));
  const items = await screen.findAllByRole("menuitem");
  expect(items.map((each) => each.getAttribute("href"))).toEqual(["/api/v1/audit/export"]);
});

test("a lead sees entries, and nothing that is about all of the trail", async () => {
  serve().on("GET /api/v1/auth/me", () => identityOf({ roles: { vision: "lead" } }));
  consoleOpen("/audit");
  expect(await screen.findByRole("table", { name: "Entries" })).toBeVisible();
  expect(screen.queryByRole("button", { name: "Verify" })).toBeNull();
  expect(screen.queryByRole("button", { name: "Export" })).toBeNull();
});

test("others find neither the room nor what is in it", async () => {
  const server = serverCreate();
  consoleOpen("/audit");
  expect(await screen.findByText("Not yours to see")).toBeVisible();
  const rail = screen.getByRole("navigation", { name: "Rooms" });
  expect(within(rail).queryByText("Audit")).toBeNull();
  expect(server.last("GET", "/api/v1/audit")).toBeUndefined();
});

test("a workload leads to its part of the trail, for who may read it", async () => {
  serve()
    .on("GET /api/v1/workloads/w-1", () => detailOf())
    .on("GET /api/v1/workloads/w-1/events", () => pageOf([]));
  consoleOpen("/workloads/w-1");
  await userEvent.click(await screen.findByRole("button", { name: "More actions" }));
  const link = await screen.findByRole("menuitem", { name: "Audit of this workload" });
  expect(link).toHaveAttribute("href", "/audit?subject=w-1&project=vision");
});
