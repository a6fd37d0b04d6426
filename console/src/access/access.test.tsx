import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import axe from "axe-core";
import { expect, test } from "vitest";
import type { AccessPath, Action, Role } from "../api/types";
import { consoleOpen, serverCreate } from "../testing/console";
import { identityOf, pageOf, projectOf, tokenOf } from "../testing/documents";
import type { FakeServer } from "../testing/server";

const at = "2026-03-01T09:00:00Z";

function pathOf(given: Partial<AccessPath> = {}): AccessPath {
  return {
    id: "b-1",
    subject_kind: "user",
    subject: "ben",
    role: "developer",
    level: "project",
    target: "vision",
    created_at: at,
    created_by: "ana",
    group: null,
    ...given,
  };
}

function roleOf(name: string, actions: Action[], built_in = true): Role {
  return { name, description: `What a ${name} does.`, actions, built_in, bindings: 1 };
}

const roles = [
  roleOf("administrator", ["workload:read", "workload:submit", "role:set", "user:administer"]),
  roleOf("lead", ["workload:read", "workload:submit", "binding:set"]),
  roleOf("developer", ["workload:read", "workload:submit"]),
  roleOf("log-reader", ["workload:read"], false),
];

const ben = {
  username: "ben",
  display_name: "Ben Okri",
  email: "ben@example.org",
  source: "local",
  administrator: false,
  created_at: at,
  disabled_at: null,
  last_sign_in_at: null,
};

const secret = {
  project: "vision",
  name: "HF_TOKEN",
  updated_at: at,
  updated_by: "ana",
  last_used_at: null,
  locked: false,
  used_by_count: 1,
  used_by: [{ id: "w-1", name: "train", state: "running", owner: "ana" }],
};

const account = {
  name: "ci-bot",
  project: "vision",
  display_name: "Nightly",
  created_at: at,
  disabled_at: null,
  tokens: 1,
  paths: [pathOf({ subject: "ci-bot" })],
};

function served(): FakeServer {
  return serverCreate()
    .on("GET /api/v1/auth/me", () => identityOf({ administrator: true }))
    .on("GET /api/v1/actions", () => ({
      items: [
        { action: "workload:read", resource: "workload", about: "See work.", with_any_role: false },
        { action: "workload:submit", resource: "workload", about: "Submit.", with_any_role: false },
        { action: "role:set", resource: "role", about: "Make roles.", with_any_role: false },
      ],
    }))
    .on("GET /api/v1/roles", () => ({ items: roles }))
    .on("GET /api/v1/teams", () =>
      pageOf([{ name: "research", cost_centre: "R1", created_at: at }]),
    )
    .on("GET /api/v1/projects", () => pageOf([{ ...projectOf("vision"), cost_centre: "" }]))
    .on("GET /api/v1/users", () => pageOf([ben, { ...ben, username: "cleo", disabled_at: at }]))
    .on("GET /api/v1/users/ben", () => ({
      ...ben,
      groups: [{ name: "ml", source: "oidc" }],
      paths: [pathOf(), pathOf({ id: "b-2", role: "viewer", group: "ml" })],
      sign_ins: 2,
      tokens: 1,
    }))
    .on("GET /api/v1/groups", () =>
      pageOf([{ name: "ml", source: "oidc", members: 1, created_at: at }]),
    )
    .on("GET /api/v1/groups/ml", () => ({
      name: "ml",
      source: "oidc",
      members: 1,
      created_at: at,
    }))
    .on("GET /api/v1/groups/ml/members", () =>
      pageOf([{ group: "ml", username: "ben", display_name: "", disabled: false, source: "oidc" }]),
    )
    .on("GET /api/v1/bindings", () => pageOf([pathOf()]))
    .on("GET /api/v1/access", () =>
      pageOf([
        {
          username: "ben",
          kind: "person",
          display_name: "Ben Okri",
          paths: [pathOf({ role: "lead", level: "team", target: "research", group: "ml" })],
        },
      ]),
    )
    .on("GET /api/v1/accounts", () => pageOf([account]))
    .on("GET /api/v1/accounts/ci-bot", () => account)
    .on("GET /api/v1/accounts/ci-bot/tokens", () =>
      pageOf([tokenOf({ actions: ["workload:read"], projects: ["vision"] })]),
    )
    .on("GET /api/v1/projects/vision/secrets", () => pageOf([secret]))
    .on("GET /api/v1/secrets/keys", () => ({
      keys: [{ id: "k-1", here: true, seals: true, secrets: 1 }],
      since: at,
      set_by: "",
      left: 0,
      locked: 0,
      place: "/srv/podium/keys",
      writable: true,
    }));
}

test.each([
  ["/access/people", "Ben Okri"],
  ["/access/people?form=person", "Add person"],
  ["/access/people/ben?form=role", "group ml"],
  ["/access/groups", "ml"],
  ["/access/groups/ml", "ben"],
  ["/access/places", "R1, as the team"],
  ["/access/places?form=project", "Make project"],
  ["/access/places/projects/vision?form=role", "Take away"],
  ["/access/places/teams/research", "Projects"],
  ["/access/roles?role=log-reader", "What a log-reader does."],
  ["/access/roles?form=new", "Make role"],
  ["/access/bindings?form=role", "developer"],
  ["/access/who?action=workload:submit", "Ben Okri"],
  ["/access/accounts", "ci-bot"],
  ["/access/accounts/ci-bot?form=token", "Only workload:read, in vision"],
  ["/access/secrets", "HF_TOKEN"],
  ["/access/secrets?form=secret", "Value"],
])("%s is without fault", async (address, sight) => {
  served();
  consoleOpen(address);
  expect((await screen.findAllByText(sight)).length).toBeGreaterThan(0);
  const { violations } = await axe.run(document.body, {
    rules: { "color-contrast": { enabled: false } },
  });
  expect(
    violations.map(({ id, nodes }) => `${id}: ${nodes.map((each) => each.html).join(" ")}`),
  ).toEqual([]);
});

test("a person is added, and their one-time password shown once", async () => {
  const server = served().on("POST /api/v1/users", () => ({ ...ben, one_time_password: "once" }));
  consoleOpen("/access");
  await userEvent.click(await screen.findByRole("button", { name: "Add a person" }));
  await userEvent.click(await screen.findByRole("button", { name: "Add person" }));
  expect(screen.getByText("Write the name that they sign in with.")).toBeVisible();
  await userEvent.type(screen.getByLabelText("Username"), "ben");
  await userEvent.click(screen.getByRole("button", { name: "Add person" }));
  expect(await screen.findByText("once")).toBeVisible();
  expect(await server.last("POST", "/api/v1/users")?.json()).toMatchObject({
    username: "ben",
    administrator: false,
  });
  await userEvent.click(screen.getByRole("button", { name: "I have it" }));
  await waitFor(() => expect(screen.queryByText("once")).toBeNull());
});

test("disabling says what ends before it ends it", async () => {
  const server = served().on("PATCH /api/v1/users/ben", () => ({ ...ben, disabled_at: at }));
  consoleOpen("/access/people/ben");
  await userEvent.click(await screen.findByRole("button", { name: "Disable" }));
  const asking = await screen.findByRole("dialog");
  expect(asking).toHaveTextContent("2 open sign-ins and 1 token end at once");
  await userEvent.click(within(asking).getByRole("button", { name: "Disable ben" }));
  await waitFor(() => expect(server.last("PATCH", "/api/v1/users/ben")).toBeDefined());
  expect(await server.last("PATCH", "/api/v1/users/ben")?.json()).toEqual({ disabled: true });
});

test("what a directory keeps is only looked at", async () => {
  served();
  consoleOpen("/access/groups/ml");
  expect(await screen.findByText(/Your directory keeps this group/)).toBeVisible();
  await screen.findByText("ben");
  expect(screen.queryByRole("button", { name: /Take out ben/ })).toBeNull();
  expect(screen.queryByRole("button", { name: "Add to group" })).toBeNull();
});

test("a lead lets somebody in with no more than they may do, and sees no people", async () => {
  const server = served()
    .on("GET /api/v1/auth/me", () => identityOf({ roles: { vision: "lead" } }))
    .on("GET /api/v1/access/people", () => ({
      items: [{ username: "cleo", display_name: "Cleo Vance" }],
    }))
    .on("POST /api/v1/bindings", () => pathOf({ subject: "cleo" }));
  consoleOpen("/access/places/projects/vision?form=role");
  const tabs = await screen.findByRole("navigation", { name: "People and access" });
  expect(within(tabs).queryByText("People")).toBeNull();
  const form = await screen.findByRole("form", { name: "Give a role" });
  const role = within(form).getByLabelText("Role");
  await waitFor(() => expect(role).toHaveValue("developer"));
  expect(within(role).queryByText("administrator")).toBeNull();
  await userEvent.type(within(form).getByPlaceholderText("username"), "vanc");
  await userEvent.click(await screen.findByText("Cleo Vance"));
  const asked = server.asked.filter(({ url }) => url.includes("/access/people"));
  expect(new URL(asked.at(-1)?.url ?? "").searchParams.get("q")).toBe("vanc");
  await userEvent.click(within(form).getByRole("button", { name: "Give role" }));
  await waitFor(() => expect(server.last("POST", "/api/v1/bindings")).toBeDefined());
  expect(await server.last("POST", "/api/v1/bindings")?.json()).toEqual({
    subject_kind: "user",
    subject: "cleo",
    role: "developer",
    level: "project",
    target: "vision",
  });
  expect(server.asked.some(({ url }) => url.includes("/users"))).toBe(false);
});

test("a cost centre is changed where it stands", async () => {
  const server = served().on("PATCH /api/v1/teams/research", () => ({}));
  consoleOpen("/access/places");
  await userEvent.click(
    await screen.findByRole("button", { name: /Change Cost centre of team research/ }),
  );
  const field = screen.getByLabelText("Cost centre of team research");
  await userEvent.clear(field);
  await userEvent.type(field, "R2{Enter}");
  await waitFor(() => expect(server.last("PATCH", "/api/v1/teams/research")).toBeDefined());
  expect(await server.last("PATCH", "/api/v1/teams/research")?.json()).toEqual({
    cost_centre: "R2",
  });
});

test("a role of one's own is made from another one", async () => {
  const server = served().on("PUT /api/v1/roles/reader", () => roleOf("reader", [], false));
  consoleOpen("/access/roles?role=developer&form=new");
  await userEvent.type(await screen.findByLabelText("Name"), "reader");
  await userEvent.click(screen.getByRole("checkbox", { name: "Submit." }));
  await userEvent.click(screen.getByRole("button", { name: "Make role" }));
  await waitFor(() => expect(server.last("PUT", "/api/v1/roles/reader")).toBeDefined());
  expect(await server.last("PUT", "/api/v1/roles/reader")?.json()).toMatchObject({
    actions: ["workload:read"],
  });
});

test("who can is answered with the way by which they can", async () => {
  served();
  consoleOpen("/access/who?level=project&target=vision");
  const row = (await screen.findByText("Ben Okri")).closest("tr");
  expect(row).toHaveTextContent("lead in team research, through group ml");
});

test("a secret is replaced without being shown, and removing says who uses it", async () => {
  const server = served().on("PUT /api/v1/projects/vision/secrets/HF_TOKEN", () => secret);
  consoleOpen("/access/secrets");
  await userEvent.click(await screen.findByRole("button", { name: "Replace HF_TOKEN" }));
  await userEvent.type(await screen.findByLabelText("Value"), "hf_new");
  await userEvent.click(screen.getByRole("button", { name: "Replace value" }));
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  const sent = server.last("PUT", "/api/v1/projects/vision/secrets/HF_TOKEN");
  expect(await sent?.json()).toEqual({ value: "hf_new" });
  await userEvent.click(screen.getByRole("button", { name: "Remove HF_TOKEN" }));
  expect(await screen.findByRole("dialog")).toHaveTextContent(
    "1 workload names it and has not ended: train",
  );
});
