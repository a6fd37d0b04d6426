import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test } from "vitest";
import { consoleOpen, serverCreate } from "../testing/console";
import { identityOf, pageOf, projectOf, tokenOf } from "../testing/documents";
import { Refused } from "../testing/server";
import { zoneSetting } from "../time/zone";

afterEach(() => zoneSetting.set("browser"));

const token = tokenOf();

test("it says who I am and what I may do where", async () => {
  serverCreate().on("GET /api/v1/auth/me", () =>
    identityOf({ roles: { vision: "developer", speech: "viewer" } }),
  );
  consoleOpen("/account");
  await screen.findByRole("heading", { level: 2, name: "Signed in as ana" });
  const row = screen.getByRole("link", { name: "vision" }).closest("tr");
  expect(row).toHaveTextContent("developerSubmits work, controls work, sees work.");
});

test("a token is made with a name and an end, and shown once", async () => {
  const made: unknown[] = [];
  const server = serverCreate()
    .on("GET /api/v1/tokens", () => pageOf(made))
    .on("POST /api/v1/tokens", () => {
      made.push(token);
      return { ...token, token: "pod_once" };
    });
  consoleOpen("/account");
  expect(await screen.findByText(/No tokens yet/)).toBeVisible();
  await userEvent.click(screen.getByRole("button", { name: "New token" }));
  await userEvent.click(screen.getByRole("button", { name: "Create token" }));
  expect(screen.getByText("Name it after what will use it.")).toBeVisible();
  await userEvent.type(screen.getByLabelText("Name"), "nightly");
  await userEvent.selectOptions(screen.getByLabelText("Good for"), "never");
  await userEvent.click(screen.getByRole("button", { name: "Create token" }));
  expect(await screen.findByText("pod_once")).toBeVisible();
  expect(await server.last("POST", "/api/v1/tokens")?.json()).toEqual({
    name: "nightly",
    expires_in_days: null,
    actions: null,
    projects: null,
  });
  await userEvent.click(screen.getByRole("button", { name: "I have it" }));
  expect(screen.queryByText("pod_once")).toBeNull();
  expect(await screen.findByRole("cell", { name: "nightly" })).toBeVisible();
});

test("a token is made for less than I may do", async () => {
  const server = serverCreate()
    .on("GET /api/v1/projects", () => pageOf([projectOf("speech"), projectOf("vision")]))
    .on("GET /api/v1/tokens", () => pageOf([tokenOf({ actions: ["log:read"] })]))
    .on("POST /api/v1/tokens", () => ({ ...token, token: "pod_once" }));
  consoleOpen("/account");
  expect(await screen.findByText("Only log:read")).toBeVisible();
  await userEvent.click(screen.getByRole("button", { name: "New token" }));
  await userEvent.type(screen.getByLabelText("Name"), "nightly");
  await userEvent.click(screen.getByRole("combobox", { name: "Only to do" }));
  await userEvent.click(await screen.findByRole("option", { name: "workload:read" }));
  await userEvent.click(screen.getByRole("combobox", { name: "Only in" }));
  await userEvent.click(await screen.findByRole("option", { name: "vision" }));
  await userEvent.click(screen.getByRole("button", { name: "Create token" }));
  expect(await screen.findByText("pod_once")).toBeVisible();
  expect(await server.last("POST", "/api/v1/tokens")?.json()).toEqual({
    name: "nightly",
    expires_in_days: 90,
    actions: ["workload:read"],
    projects: ["vision"],
  });
});

test("revoking says what it ends before it ends it", async () => {
  const server = serverCreate()
    .on("GET /api/v1/tokens", () => pageOf([token]))
    .on("DELETE /api/v1/tokens/t-1", () => undefined);
  consoleOpen("/account");
  await userEvent.click(await screen.findByRole("button", { name: "Revoke nightly" }));
  const asking = await screen.findByRole("dialog");
  expect(asking).toHaveTextContent("What signs in with nightly is turned away");
  await userEvent.click(within(asking).getByRole("button", { name: "Revoke token" }));
  await waitFor(() => expect(server.last("DELETE", "/api/v1/tokens/t-1")).toBeDefined());
});

test("a wrong current password is said at its field", async () => {
  serverCreate().on(
    "POST /api/v1/auth/password",
    () =>
      new Refused(422, {
        faults: [{ field: "current", message: "Is not your password.", remedy: "" }],
      } as never),
  );
  consoleOpen("/account");
  await userEvent.type(await screen.findByLabelText("Current password"), "wrong");
  await userEvent.type(screen.getByLabelText("New password"), "long enough now");
  await userEvent.click(screen.getByRole("button", { name: "Change password" }));
  expect(await screen.findByText("Is not your password.")).toBeVisible();
});

test("times can be told in UTC, and the choice stays", async () => {
  serverCreate();
  consoleOpen("/account");
  await userEvent.click(await screen.findByRole("radio", { name: "UTC" }));
  expect(screen.getByText(/^UTC, now/)).toBeVisible();
  expect(localStorage.getItem("podium-time-zone")).toBe("utc");
});
