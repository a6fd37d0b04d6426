import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import axe from "axe-core";
import { expect, test, vi } from "vitest";
import type { AuditForward } from "../../api/types";
import { consoleOpen, serverCreate } from "../../testing/console";
import { identityOf } from "../../testing/documents";
import { Refused } from "../../testing/server";
import { stateOf } from "../auditDocuments";
import { addressSplit } from "./address";

const at = "2026-03-01T09:00:00Z";

function forwardOf(given: Partial<AuditForward> = {}): AuditForward {
  return {
    name: "siem",
    kind: "syslog",
    address: "tls://siem.example.com:6514",
    signed: false,
    own_ca: true,
    created_at: at,
    created_by: "ana",
    sent_seq: 1200,
    sent_at: at,
    behind: 0,
    behind_since: null,
    skipped: 0,
    failing_since: null,
    fault: "",
    next_try_at: null,
    ...given,
  };
}

function served(forwards: () => AuditForward[]) {
  return serverCreate()
    .on("GET /api/v1/auth/me", () => identityOf({ administrator: true }))
    .on("GET /api/v1/audit/state", () => stateOf())
    .on("GET /api/v1/audit/forwards", () => ({ items: forwards() }));
}

async function faults(): Promise<string[]> {
  const { violations } = await axe.run(document.body, {
    rules: { "color-contrast": { enabled: false } },
  });
  return violations.map(({ id, nodes }) => `${id} ${nodes.map(({ html }) => html).join(" ")}`);
}

test("an address that is pasted chooses the way", () => {
  expect(addressSplit("TLS://siem:6514")).toEqual(["tls", "siem:6514"]);
  expect(addressSplit("https://a.example/b?c")).toEqual(["https", "a.example/b?c"]);
  expect(addressSplit("ftp://a")).toEqual([undefined, "ftp://a"]);
  expect(addressSplit("siem:6514")).toEqual([undefined, "siem:6514"]);
});

test("without a receiver the page teaches, and is not for others", async () => {
  served(() => []);
  consoleOpen("/audit/forwarding");
  expect(await screen.findByText("The trail is kept here alone")).toBeVisible();
  expect(screen.getByText(/^podium audit forward add siem/)).toBeVisible();
  expect(await faults()).toEqual([]);
});

test("who may not administer the trail is told so", async () => {
  serverCreate();
  consoleOpen("/audit/forwarding");
  expect(await screen.findByText("Not yours to see")).toBeVisible();
});

test("a receiver's state is told, and what is wrong with it", async () => {
  served(() => [
    forwardOf(),
    forwardOf({
      name: "hook",
      kind: "webhook",
      address: "https://hooks.example.com",
      signed: true,
      own_ca: false,
      behind: 42,
      behind_since: at,
      failing_since: at,
      fault: "It answered 500.",
      next_try_at: new Date(Date.now() + 40_000).toISOString(),
      skipped: 2,
    }),
  ]);
  consoleOpen("/audit/forwarding");
  const siem = await screen.findByRole("listitem", { name: "siem" });
  expect(siem).toHaveTextContent(/Up to date.*entry 1,200/);
  const hook = screen.getByRole("listitem", { name: "hook" });
  expect(hook).toHaveTextContent(/Failing for .* It answered 500\. 42 entries wait/);
  expect(hook).toHaveTextContent(/Next try in/);
  expect(hook).toHaveTextContent("2 entries, removed from the trail");
  expect(await faults()).toEqual([]);
});

test("a webhook is added with a secret of the page's making, tried, and removed", async () => {
  let items: AuditForward[] = [];
  const server = served(() => items)
    .on("PUT /api/v1/audit/forwards/hook", () => {
      const address = "https://hooks.example.com/audit";
      items = [forwardOf({ name: "hook", kind: "webhook", address })];
      return items[0];
    })
    .on("POST /api/v1/audit/forwards/hook/test", () => ({
      ok: false,
      took_ms: 3,
      fault: "It answered 500.",
    }))
    .on("DELETE /api/v1/audit/forwards/hook", () => {
      items = [];
      return undefined;
    });
  consoleOpen("/audit/forwarding?form=forward");
  const user = userEvent.setup();
  await user.click(await screen.findByRole("button", { name: "Forward" }));
  expect(screen.getByText("Write a short name, like siem.")).toBeVisible();
  await user.type(screen.getByLabelText("Name"), "hook");
  await user.click(screen.getByLabelText("Host and port"));
  await user.paste("https://hooks.example.com/audit");
  expect(screen.getByLabelText("How")).toHaveValue("https");
  await user.click(screen.getByRole("button", { name: "Make one" }));
  expect(await faults()).toEqual([]);
  await user.click(screen.getByRole("button", { name: "Forward" }));
  expect(await screen.findByText(/It did not take the test. It answered 500/)).toBeVisible();
  const sent = (await server.last("PUT", "/api/v1/audit/forwards/hook")?.json()) as object;
  expect(sent).toEqual({
    address: "https://hooks.example.com/audit",
    secret: expect.stringMatching(/^[0-9a-f]{64}$/),
    from_start: false,
  });
  await user.click(screen.getByRole("button", { name: "Remove hook" }));
  const asking = await screen.findByRole("dialog");
  await user.click(within(asking).getByRole("button", { name: "Remove hook" }));
  expect(await screen.findByText("The trail is kept here alone")).toBeVisible();
});

test("a change leaves what is sealed, and the server's fault stands at its field", async () => {
  const server = served(() => [forwardOf()]).on(
    "PUT /api/v1/audit/forwards/siem",
    () =>
      new Refused(422, {
        detail: "No.",
        faults: [{ field: "address", message: "names no port.", remedy: "Write tls://HOST:PORT." }],
      }),
  );
  consoleOpen("/audit/forwarding");
  const user = userEvent.setup();
  await user.click(await screen.findByRole("button", { name: "Change siem" }));
  const field = await screen.findByLabelText("Host and port");
  expect(field).toHaveValue("siem.example.com:6514");
  expect(screen.getByText("Some are set. Leave this empty to keep them.")).toBeVisible();
  await user.clear(field);
  await user.type(field, "siem");
  await user.click(screen.getByRole("button", { name: "Save" }));
  expect(await screen.findByText(/names no port\. Write tls/)).toBeVisible();
  expect(await server.last("PUT", "/api/v1/audit/forwards/siem")?.json()).toEqual({
    address: "tls://siem",
    from_start: false,
  });
  await user.selectOptions(screen.getByLabelText("How"), "tcp");
  await user.click(screen.getByRole("button", { name: "Save" }));
  await waitFor(async () =>
    expect(await server.last("PUT", "/api/v1/audit/forwards/siem")?.clone().json()).toMatchObject({
      address: "tcp://siem",
      ca: "",
    }),
  );
});

test("states come by themselves", async () => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  try {
    let behind = 3;
    served(() => [forwardOf({ behind, behind_since: behind > 0 ? at : null })]);
    consoleOpen("/audit/forwarding");
    const siem = await screen.findByRole("listitem", { name: "siem" });
    expect(siem).toHaveTextContent("3 entries behind");
    behind = 0;
    await vi.advanceTimersByTimeAsync(2_500);
    await waitFor(() => expect(siem).toHaveTextContent("Up to date"));
  } finally {
    vi.useRealTimers();
  }
});
