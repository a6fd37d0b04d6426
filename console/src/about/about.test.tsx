import { screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { consoleOpen, serverCreate } from "../testing/console";
import { aboutOf } from "../testing/documents";
import { Refused } from "../testing/server";
import { gathered } from "./Checks";

test("a server that is not well says which check fails, and is still told about", async () => {
  serverCreate()
    .on("GET /api/v1/about", () => aboutOf())
    .on(
      "GET /readyz",
      () =>
        new Refused(503, {
          ok: false,
          checks: [{ name: "database", ok: false, detail: "does not answer" }],
        } as never),
    );
  consoleOpen("/about");
  expect(await screen.findByText(/One check fails/)).toBeVisible();
  expect(screen.getByText("does not answer")).toBeVisible();
  expect(await screen.findByText("SQLite")).toBeVisible();
  expect(screen.getByRole("link", { name: "API document" })).toHaveAttribute(
    "href",
    "/api/v1/openapi.json",
  );
});

test("what keeps projects apart is told with its reason", async () => {
  serverCreate()
    .on("GET /api/v1/about", () =>
      aboutOf({ isolation: "none", isolation_words: "Users: only root can. Namespaces: refused." }),
    )
    .on("GET /readyz", () => ({ ok: true, checks: [] }));
  consoleOpen("/about");
  expect(await screen.findByText("Namespaces: refused.", { exact: false })).toBeVisible();
});

test("loops that go round are one line, one that does not stands out", () => {
  const loop = (name: string, ok = true) => ({
    name: `loop ${name}`,
    ok,
    detail: ok ? "" : "late",
  });
  const shown = gathered([loop("launch"), loop("stop", false), loop("reap")]);
  expect(shown.map(({ name, detail }) => `${name}: ${detail}`)).toEqual([
    "loop stop: late",
    "loops: launch, reap: all go round",
  ]);
});
