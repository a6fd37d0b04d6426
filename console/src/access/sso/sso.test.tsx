import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import axe from "axe-core";
import { beforeEach, expect, test } from "vitest";
import type { Provider, ProviderTrial } from "../../api/types";
import { consoleOpen, serverCreate } from "../../testing/console";
import { identityOf, pageOf } from "../../testing/documents";
import { Refused } from "../../testing/server";

const at = "2026-03-01T09:00:00Z";
const origin = window.location.origin;

function providerOf(given: Partial<Provider> = {}): Provider {
  return {
    name: "corp",
    label: "Example Corp",
    issuer: "https://login.example.com",
    client_id: "podium",
    has_secret: true,
    scopes: ["openid", "email"],
    groups_claim: "realm_access.roles",
    groups: "known",
    group_names: { "/ml/vision": "vision" },
    username_claim: "upn",
    link: "directory",
    redirect_uri: `${origin}/api/v1/auth/oidc/corp/callback`,
    backchannel_logout_uri: `${origin}/api/v1/auth/oidc/corp/backchannel-logout`,
    updated_at: at,
    updated_by: "ana",
    people: 3,
    sign_ins: 2,
    last_sign_in_at: at,
    ...given,
  };
}

const well: ProviderTrial = {
  ok: true,
  fault: "",
  authorization_endpoint: "https://login.example.com/authorize",
  end_session_endpoint: "",
  keys: 2,
};

function signIn(seq: number, given: object) {
  return {
    seq,
    at,
    actor: "ben",
    action: "user:sign-in",
    subject: "ben",
    project: null,
    outcome: "allowed",
    detail: { provider: "corp" },
    source: "10.0.0.7",
    ...given,
  };
}

function served(providers: Provider[] = [providerOf()]) {
  return serverCreate()
    .on("GET /api/v1/auth/me", () => identityOf({ administrator: true }))
    .on("GET /api/v1/providers", () => pageOf(providers))
    .on("GET /api/v1/providers/corp", () => providers[0] ?? new Refused(404))
    .on("POST /api/v1/providers/corp/test", () => well)
    .on("GET /api/v1/directory", () => ({
      path: "/scim/v2",
      address: `${origin}/scim/v2`,
      users: 0,
      groups: 0,
      changed_at: null,
      tokens: [],
      newest: [],
    }))
    .on("GET /api/v1/groups", () =>
      pageOf([{ name: "night", source: "local", members: 1, created_at: at }]),
    )
    .on("GET /api/v1/bindings", () =>
      pageOf([
        {
          id: "b-1",
          subject_kind: "group",
          subject: "vision",
          role: "developer",
          level: "project",
          target: "vision",
          created_at: at,
          created_by: "ana",
        },
      ]),
    )
    .on("GET /api/v1/audit", () =>
      pageOf([
        signIn(9, {}),
        signIn(8, {
          actor: "",
          outcome: "refused",
          subject: "auth/oidc/corp/callback",
          detail: { why: "The ID token is too old." },
        }),
        signIn(7, { actor: "corp", detail: {} }),
      ]),
    );
}

async function faults(): Promise<string[]> {
  const { violations } = await axe.run(document.body, {
    rules: { "color-contrast": { enabled: false } },
  });
  return violations.map(({ id, nodes }) => `${id} ${nodes.map(({ html }) => html).join(" ")}`);
}

beforeEach(() => sessionStorage.clear());

test("without a provider the page teaches", async () => {
  served([]);
  consoleOpen("/access/sso");
  expect(await screen.findByText("People sign in with a password only")).toBeVisible();
  expect(screen.getByText(/^podium sso add corp/)).toBeVisible();
  expect(await faults()).toEqual([]);
});

test("who may not set providers sees neither the page nor its tab", async () => {
  serverCreate();
  consoleOpen("/access/sso");
  expect(await screen.findByText("Not yours to see")).toBeVisible();
  expect(screen.queryByRole("link", { name: "Single sign-on" })).toBeNull();
  expect(screen.queryByRole("link", { name: "Directory" })).toBeNull();
});

/** At once, as from the provider's page: letter by letter takes long. */
async function filled(field: HTMLElement, text: string): Promise<void> {
  await userEvent.clear(field);
  await userEvent.click(field);
  await userEvent.paste(text);
}

test("what is missing is told at its field, and an issuer is checked before it is kept", async () => {
  served([]).on("POST /api/v1/providers/check", async (request) => {
    const { issuer } = (await request.json()) as { issuer: string };
    const fault = "It calls itself https://login.example.com.";
    return issuer.endsWith("/") ? { ...well, ok: false, fault } : well;
  });
  consoleOpen("/access/sso?form=provider");
  await userEvent.click(await screen.findByRole("button", { name: "Add provider" }));
  expect(screen.getByText("Write a short name, like corp.")).toBeVisible();
  await waitFor(() => expect(screen.getByLabelText("Name")).toHaveFocus());
  await filled(screen.getByLabelText("Name"), "corp");
  expect(screen.queryByText("Write a short name, like corp.")).toBeNull();
  expect(screen.getByText(`${origin}/api/v1/auth/oidc/corp/callback`)).toBeVisible();
  await filled(screen.getByLabelText("Issuer"), "https://login.example.com/");
  await userEvent.click(screen.getByRole("button", { name: "Check" }));
  expect(await screen.findByText(/It calls itself/)).toBeVisible();
  await userEvent.type(screen.getByLabelText("Issuer"), "{Backspace}");
  expect(screen.queryByText(/It calls itself/)).toBeNull();
  await userEvent.click(screen.getByRole("button", { name: "Check" }));
  expect(await screen.findByText(/signs with 2 keys/)).toBeVisible();
  expect(await faults()).toEqual([]);
});

test("a provider is added with all of its settings", async () => {
  const server = served([]).on("PUT /api/v1/providers/corp", () => providerOf());
  consoleOpen("/access/sso?form=provider");
  await filled(await screen.findByLabelText("Name"), "corp");
  await filled(screen.getByLabelText("Issuer"), "https://login.example.com");
  await filled(screen.getByLabelText("Client ID"), "podium");
  await filled(screen.getByLabelText("Client secret"), "hush");
  await userEvent.click(screen.getByLabelText(/People whom your directory keeps/));
  await userEvent.click(screen.getByLabelText("Make it here"));
  await userEvent.click(screen.getByText("Add a name"));
  await filled(screen.getByLabelText("Group at the provider, 1"), "/ml/vision");
  await filled(screen.getByPlaceholderText("vision"), "vision");
  expect(JSON.stringify(sessionStorage)).not.toContain("hush");
  await userEvent.click(screen.getByText("Add provider"));
  await waitFor(() => expect(server.last("PUT", "/api/v1/providers/corp")).toBeDefined());
  expect(await server.last("PUT", "/api/v1/providers/corp")?.json()).toEqual({
    issuer: "https://login.example.com",
    client_id: "podium",
    client_secret: "hush",
    keep_secret: false,
    label: "",
    scopes: ["openid", "profile", "email"],
    groups_claim: "groups",
    groups: "create",
    group_names: { "/ml/vision": "vision" },
    username_claim: "preferred_username",
    link: "directory",
  });
  expect(window.location.pathname).toBe("/access/sso/corp");
  expect(sessionStorage.getItem("podium-form-provider-")).toBeNull();
});

test("what the server finds wrong stands at its field, and the secret is kept or forgotten", async () => {
  const server = served().on(
    "PUT /api/v1/providers/corp",
    () =>
      new Refused(422, {
        detail: "No.",
        faults: [
          {
            field: "group_names./ml/vision",
            message: "'A B' cannot be the name of a group.",
            remedy: "Such as a-b.",
          },
          { field: "client_secret", message: "is kept for another issuer.", remedy: "Send it." },
        ],
      }),
  );
  consoleOpen("/access/sso/corp?form=provider");
  const user = userEvent.setup();
  expect(await screen.findByText("One is set. Leave this empty to keep it.")).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Save" }));
  expect(await screen.findByText(/Such as a-b\./)).toBeVisible();
  expect(screen.getByText("is kept for another issuer. Send it.")).toBeVisible();
  expect(await server.last("PUT", "/api/v1/providers/corp")?.json()).toMatchObject({
    client_secret: null,
    keep_secret: true,
  });
  await user.click(screen.getByRole("checkbox", { name: /forget the one that is set/ }));
  await user.click(screen.getByRole("button", { name: "Save" }));
  await waitFor(async () =>
    expect(await server.last("PUT", "/api/v1/providers/corp")?.clone().json()).toMatchObject({
      keep_secret: false,
    }),
  );
});

test("one provider: its check, what to register, its groups' roles, and who signed in", async () => {
  const server = served();
  consoleOpen("/access/sso/corp");
  expect(await screen.findByRole("heading", { name: "Example Corp" })).toBeVisible();
  expect(await screen.findByText(/signs with 2 keys/)).toBeVisible();
  expect(
    screen.getByRole("button", { name: `Copy ${origin}/api/v1/auth/oidc/corp/callback` }),
  ).toBeVisible();
  const given = await screen.findByRole("table", { name: "What its groups get" });
  await waitFor(() =>
    expect(within(given).getByRole("row", { name: /\/ml\/vision/ })).toHaveTextContent(
      "developer in project vision",
    ),
  );
  expect(within(given).getByRole("row", { name: /\/ml\/vision/ })).toHaveTextContent(
    "Not there yet",
  );
  const signIns = await screen.findByRole("list", { name: "Last sign-ins" });
  expect(within(signIns).getAllByRole("listitem")).toHaveLength(2);
  expect(signIns).toHaveTextContent("Refused: The ID token is too old.");
  expect(await faults()).toEqual([]);
  server.on("DELETE /api/v1/providers/corp", () => undefined);
  await userEvent.click(screen.getByRole("button", { name: "Remove" }));
  const asking = await screen.findByRole("dialog");
  expect(asking).toHaveTextContent("2 open sign-ins through it end at once");
  expect(asking).toHaveTextContent("3 people who came through it stay");
  await userEvent.click(within(asking).getByRole("button", { name: "Remove Example Corp" }));
  await waitFor(() => expect(window.location.pathname).toBe("/access/sso"));
});

test("an address that differs from the server's own is told of", async () => {
  served([providerOf({ redirect_uri: "https://podium.example.com/api/v1/x" })]);
  consoleOpen("/access/sso/corp");
  expect(await screen.findByText(/--public-url/)).toBeVisible();
});
