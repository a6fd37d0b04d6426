import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, test } from "vitest";
import { agentInWords } from "../account/agent";
import { consoleOpen, serverCreate } from "../testing/console";
import { pageOf, tokenOf } from "../testing/documents";
import { Refused } from "../testing/server";
import { failureTake } from "./failure";

describe("providers", () => {
  test("stand beside the password and keep the page that was wanted", async () => {
    serverCreate()
      .on("GET /api/v1/auth/me", () => new Refused(401))
      .on("GET /api/v1/auth/providers", () => ({ providers: [{ name: "corp", label: "Corp" }] }));
    consoleOpen("/workloads?state=failed");
    const button = await screen.findByRole("link", { name: "Continue with Corp" });
    expect(button).toHaveAttribute(
      "href",
      "/api/v1/auth/oidc/corp/start?next=%2Fworkloads%3Fstate%3Dfailed",
    );
    expect(screen.getByLabelText("Password")).toBeVisible();
  });

  test("say in words of ours why somebody was not let in", () => {
    window.history.replaceState(null, "", "/queue?a=1#sign-in-failed=disabled");
    expect(failureTake(window.location, window.history)).toMatch(/account here is disabled/);
    expect(window.location.href).toMatch(/\/queue\?a=1$/);
    expect(failureTake(window.location, window.history)).toBeNull();
    window.history.replaceState(null, "", "/#sign-in-failed=Call%20555-1234");
    expect(failureTake(window.location, window.history)).toMatch(/could not be trusted/);
  });
});

describe("a command line that asks to be let in", () => {
  const asked = {
    client_name: "command line on laptop",
    source: "10.0.0.7",
    user_agent: "podium/0.1.0",
    asked_at: new Date().toISOString(),
    expires_at: new Date().toISOString(),
  };

  test("is shown, and waits for a click", async () => {
    const server = serverCreate()
      .on("GET /api/v1/auth/device/BCDF-GHJK", () => asked)
      .on("POST /api/v1/auth/device/BCDF-GHJK", () => undefined);
    consoleOpen("/device?code=bcdf-ghjk");
    expect(await screen.findByText("command line on laptop")).toBeVisible();
    expect(screen.getByText("10.0.0.7")).toBeVisible();
    expect(screen.getByText("BCDF-GHJK")).toBeVisible();
    const path = "/api/v1/auth/device/BCDF-GHJK";
    expect(server.last("POST", path)).toBeUndefined();
    await userEvent.click(screen.getByRole("button", { name: "Let it in" }));
    expect(await screen.findByRole("heading", { name: "It is let in" })).toBeVisible();
    expect(await server.last("POST", path)?.json()).toEqual({ approve: true });
    expect(server.last("POST", path)?.headers.get("X-Podium-CSRF")).toBe("1");
  });

  test("is turned away", async () => {
    const server = serverCreate()
      .on("GET /api/v1/auth/device/BCDF-GHJK", () => asked)
      .on("POST /api/v1/auth/device/BCDF-GHJK", () => undefined);
    consoleOpen("/device?code=BCDF-GHJK");
    await userEvent.click(await screen.findByRole("button", { name: "Turn it away" }));
    expect(await screen.findByRole("heading", { name: "It is turned away" })).toBeVisible();
    expect(await server.last("POST", "/api/v1/auth/device/BCDF-GHJK")?.json()).toEqual({
      approve: false,
    });
  });

  test("is asked for by its code, and a code that nobody has is said", async () => {
    serverCreate().on(
      "GET /api/v1/auth/device/BCDF-GHJK",
      () => new Refused(404, { detail: "No command line waits with this code." }),
    );
    consoleOpen("/device");
    await userEvent.type(await screen.findByLabelText("Code"), "AEIO");
    await userEvent.click(screen.getByRole("button", { name: "Go on" }));
    expect(screen.getByText(/Eight letters/)).toBeVisible();
    await userEvent.clear(screen.getByLabelText("Code"));
    await userEvent.type(screen.getByLabelText("Code"), "bcdfghjk");
    await userEvent.click(screen.getByRole("button", { name: "Go on" }));
    expect(await screen.findByText("No command line waits with this code.")).toBeVisible();
    await userEvent.click(screen.getByRole("button", { name: "Type another code" }));
    expect(screen.getByLabelText("Code")).toHaveValue("");
  });
});

describe("sign-ins", () => {
  const here = tokenOf({
    id: "t-here",
    name: "console",
    kind: "session",
    source: "10.0.0.7",
    user_agent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    current: true,
  });
  const there = tokenOf({
    id: "t-there",
    name: "command line on laptop",
    kind: "device",
    source: "10.0.0.8",
    provider: "corp",
  });

  test("say where from, which is this one, and can be ended", async () => {
    const server = serverCreate()
      .on("GET /api/v1/tokens", () => pageOf([there, here]))
      .on("DELETE /api/v1/tokens/t-there", () => undefined)
      .on("POST /api/v1/auth/sign-out-everywhere", () => ({ ended: 2 }));
    consoleOpen("/account");
    const mine = (await screen.findByText("Firefox on Linux")).closest("tr");
    expect(mine).toHaveTextContent("this one");
    const other = screen.getByText("command line on laptop").closest("tr");
    expect(other).toHaveTextContent("10.0.0.8, through corp");
    await userEvent.click(
      screen.getByRole("button", { name: "End the sign-in of command line on laptop" }),
    );
    await waitFor(() => expect(server.last("DELETE", "/api/v1/tokens/t-there")).toBeDefined());
    await userEvent.click(screen.getByRole("button", { name: "Sign out everywhere" }));
    expect(screen.getByText(/All of these end at once/)).toBeVisible();
    await userEvent.click(screen.getByRole("button", { name: "Sign out everywhere" }));
    expect(await screen.findByLabelText("Username")).toBeVisible();
  });

  test("are named by what browsers say of themselves", () => {
    const chrome =
      "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Saf";
    expect(agentInWords(chrome)).toBe("Chrome on Windows");
    expect(agentInWords("podium/0.1.0")).toBe("podium/0.1.0");
    expect(agentInWords("")).toBe("");
  });
});
