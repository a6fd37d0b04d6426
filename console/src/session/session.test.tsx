import { act, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, test } from "vitest";
import { consoleOpen, serverCreate } from "../testing/console";
import { identityOf } from "../testing/documents";
import { FakeEventSource } from "../testing/eventSource";
import { Refused } from "../testing/server";
import { ticketTake } from "./ticket";

describe("sign-in", () => {
  test("is asked for in place, and leads to the address that was wanted", async () => {
    let signedIn = false;
    const server = serverCreate()
      .on("GET /api/v1/auth/me", () => (signedIn ? identityOf() : new Refused(401)))
      .on("POST /api/v1/auth/login", () => {
        signedIn = true;
        return { token: "pod_x", expires_at: null, username: "ana", must_change_password: false };
      });
    consoleOpen("/workloads?state=failed");
    await userEvent.type(await screen.findByLabelText("Username"), "ana");
    await userEvent.type(screen.getByLabelText("Password"), "correct horse");
    await userEvent.click(screen.getByRole("button", { name: "Sign in" }));

    expect(await screen.findByRole("heading", { name: /Workloads/ })).toBeVisible();
    expect(window.location.search).toBe("?state=failed");
    const login = server.last("POST", "/api/v1/auth/login");
    expect(login?.headers.get("X-Podium-CSRF")).toBe("1");
    expect(await login?.json()).toMatchObject({ username: "ana", password: "correct horse" });
  });

  test("says what is wrong without saying which", async () => {
    serverCreate()
      .on("GET /api/v1/auth/me", () => new Refused(401))
      .on("POST /api/v1/auth/login", () => new Refused(401));
    consoleOpen("/");
    await userEvent.type(await screen.findByLabelText("Username"), "ana");
    await userEvent.type(screen.getByLabelText("Password"), "wrong");
    await userEvent.click(screen.getByRole("button", { name: "Sign in" }));
    expect(await screen.findByRole("alert")).toHaveTextContent(
      "The username or the password is not right.",
    );
  });

  test("comes back when any answer says that the session is over", async () => {
    serverCreate().on("GET /api/v1/workloads", () => new Refused(401));
    consoleOpen("/workloads?q=llama");
    expect(await screen.findByLabelText("Username")).toBeVisible();
    expect(window.location.search).toBe("?q=llama");
    expect(screen.getByText(/Your sign-in came to its end/)).toBeVisible();
  });

  test("comes back when the live feed is lost because the session is over", async () => {
    let signedIn = true;
    serverCreate().on("GET /api/v1/auth/me", () => (signedIn ? identityOf() : new Refused(401)));
    consoleOpen("/workloads?q=llama");
    await screen.findByRole("heading", { name: /Workloads/ });
    signedIn = false;
    act(() => FakeEventSource.latest("/api/v1/stream").lose({ closed: true }));
    expect(await screen.findByText(/Your sign-in came to its end/)).toBeVisible();
    expect(window.location.search).toBe("?q=llama");
  });

  test("by a link uses its ticket once", async () => {
    let signedIn = false;
    const server = serverCreate()
      .on("GET /api/v1/auth/me", () => (signedIn ? identityOf() : new Refused(401)))
      .on("POST /api/v1/auth/ticket", () => {
        signedIn = true;
        return { token: "pod_x", expires_at: null, username: "ana", must_change_password: false };
      });
    consoleOpen("/", "once");
    expect(await screen.findByRole("heading", { level: 1, name: /Overview/ })).toBeVisible();
    const exchanges = server.asked.filter((each) => each.url.endsWith("/auth/ticket"));
    expect(exchanges).toHaveLength(1);
  });

  test("by a link that was used before falls back to a password", async () => {
    serverCreate()
      .on("GET /api/v1/auth/me", () => new Refused(401))
      .on("POST /api/v1/auth/ticket", () => new Refused(401));
    consoleOpen("/", "twice");
    expect(await screen.findByRole("alert")).toHaveTextContent(/used before or is too old/);
  });
});

describe("after a one-time sign-in", () => {
  test("a password of one's own is asked for once, before anything else", async () => {
    let chosen = false;
    const server = serverCreate()
      .on("GET /api/v1/auth/me", () => identityOf({ must_change_password: !chosen }))
      .on("POST /api/v1/auth/password", () => {
        chosen = true;
      });
    consoleOpen("/nodes");
    const field = await screen.findByLabelText("New password");
    await userEvent.type(field, "short");
    await userEvent.click(screen.getByRole("button", { name: "Set password" }));
    expect(await screen.findByText("Has 5 characters; write 10 or more.")).toBeVisible();
    await userEvent.click(screen.getByRole("button", { name: "Show or hide the password" }));
    expect(field).toHaveAttribute("type", "text");
    await userEvent.type(field, " and longer");
    await userEvent.click(screen.getByRole("button", { name: "Set password" }));
    expect(await screen.findByRole("heading", { name: /Nodes and GPUs/ })).toBeVisible();
    expect(await server.last("POST", "/api/v1/auth/password")?.json()).toEqual({
      new: "short and longer",
    });
  });
});

test("a ticket leaves the address as soon as it is taken", async () => {
  window.history.replaceState(null, "", "/nodes?a=1#ticket=a%2Bb");
  expect(ticketTake(window.location, window.history)).toBe("a+b");
  await waitFor(() => expect(window.location.href).toMatch(/\/nodes\?a=1$/));
  expect(ticketTake(window.location, window.history)).toBeNull();
});
