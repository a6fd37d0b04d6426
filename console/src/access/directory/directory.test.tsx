import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import axe from "axe-core";
import { expect, test, vi } from "vitest";
import type { Directory, DirectoryChange } from "../../api/types";
import { consoleOpen, serverCreate } from "../../testing/console";
import { identityOf } from "../../testing/documents";
import { Refused } from "../../testing/server";

const at = "2026-03-01T09:00:00Z";

function directoryOf(given: Partial<Directory> = {}): Directory {
  return {
    path: "/scim/v2",
    address: "https://podium.example.com/scim/v2",
    users: 0,
    groups: 0,
    changed_at: null,
    tokens: [],
    newest: [],
    ...given,
  };
}

const token = {
  id: "t-1",
  account: "scim",
  created_at: at,
  created_by: "ana",
  expires_at: "2027-03-01T09:00:00Z",
  last_used_at: null,
};

function served(answer: () => Directory) {
  return serverCreate()
    .on("GET /api/v1/auth/me", () => identityOf({ administrator: true }))
    .on("GET /api/v1/directory", answer);
}

async function faults(): Promise<string[]> {
  const { violations } = await axe.run(document.body, {
    rules: { "color-contrast": { enabled: false } },
  });
  return violations.map(({ id, nodes }) => `${id} ${nodes.map(({ html }) => html).join(" ")}`);
}

test("the page tells the address, and what the directory's changes mean here", async () => {
  served(() => directoryOf());
  consoleOpen("/access/directory");
  expect(await screen.findByText("https://podium.example.com/scim/v2")).toBeVisible();
  expect(screen.queryByRole("alert")).toBeNull();
  expect(screen.getByText(/All their sign-ins and tokens end at once/)).toBeVisible();
  expect(screen.getByText("podium scim token --days 180")).toBeVisible();
  expect(await faults()).toEqual([]);
});

test("an address that others can read is warned of", async () => {
  served(() => directoryOf({ address: "http://podium.example.com/scim/v2" }));
  consoleOpen("/access/directory");
  expect(await screen.findByRole("alert")).toHaveTextContent("others on the way can read");
});

test("a token is made, shown once, and revoked", async () => {
  let tokens: Directory["tokens"] = [];
  const server = served(() => directoryOf({ tokens }))
    .on("POST /api/v1/directory/tokens", async (request) => {
      const { account } = (await request.clone().json()) as { account: string };
      if (account === "ana") {
        return new Refused(409, { detail: "ana is not a service account of the organisation." });
      }
      tokens = [token];
      return { ...token, name: "SCIM", token: "pod_secret", path: "/scim/v2" };
    })
    .on("DELETE /api/v1/accounts/scim/tokens/t-1", () => {
      tokens = [];
      return undefined;
    });
  consoleOpen("/access/directory?form=token");
  const user = userEvent.setup();
  const account = await screen.findByLabelText("Service account");
  await user.clear(account);
  await user.type(account, "ana");
  await user.click(screen.getByRole("button", { name: "Make token" }));
  expect(await screen.findByText(/is not a service account/)).toBeVisible();
  await user.clear(account);
  await user.type(account, "scim");
  await user.click(screen.getByRole("button", { name: "Make token" }));
  expect(await screen.findByText("pod_secret")).toBeVisible();
  expect(await faults()).toEqual([]);
  expect(await server.last("POST", "/api/v1/directory/tokens")?.json()).toEqual({
    account: "scim",
    expires_in_days: 365,
  });
  await user.click(screen.getByRole("button", { name: "I have it" }));
  await waitFor(() => expect(screen.queryByText("pod_secret")).toBeNull());
  const table = await screen.findByRole("table", { name: "Tokens of directories" });
  expect(within(table).getByText("never")).toBeVisible();
  await user.click(within(table).getByRole("button", { name: /^Revoke the token of scim/ }));
  await user.click(await screen.findByRole("button", { name: "Revoke token" }));
  expect(await screen.findByText(/No token yet/)).toBeVisible();
});

test("people whom the directory brings show up by themselves", async () => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  try {
    let newest: DirectoryChange[] = [];
    served(() => directoryOf({ users: newest.length, newest, tokens: [token] }));
    consoleOpen("/access/directory");
    expect(await screen.findByText(/It has not brought anybody yet/)).toBeVisible();
    const mia = { kind: "person" as const, name: "mia", told_name: "mia@example.com" };
    newest = [
      { ...mia, state: "disabled", changed_at: at },
      { kind: "group", name: "ml", told_name: "ML Team", state: "active", changed_at: at },
    ];
    await vi.advanceTimersByTimeAsync(4_500);
    const table = await screen.findByRole("table", { name: "Changed last by the directory" });
    expect(within(table).getByRole("row", { name: /^mia/ })).toHaveTextContent("Deactivated");
    expect(within(table).getByRole("link", { name: "ml" })).toHaveAttribute(
      "href",
      "/access/groups/ml",
    );
  } finally {
    vi.useRealTimers();
  }
});
