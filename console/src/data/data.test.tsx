import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import type { ComplianceReport, DataSource } from "../api/types";
import { consoleOpen, serverCreate } from "../testing/console";
import { identityOf, pageOf, projectOf } from "../testing/documents";
import { faults } from "../testing/faults";
import type { FakeServer } from "../testing/server";
import { draftOf, requestOf } from "./words";

const at = "2026-03-01T09:00:00Z";

function sourceOf(given: Partial<DataSource> = {}): DataSource {
  return {
    id: "scans",
    name: "scans",
    project: null,
    kind: "folder",
    classification: "phi",
    regions: ["eu-central"],
    description: "Scans of lungs.",
    location: { path: "/srv/data/scans" },
    grants: [{ kind: "project", name: "vision", write: false }],
    used_by: ["w-1"],
    updated_at: at,
    updated_by: "ana",
    ...given,
  };
}

const use = {
  seq: 7,
  at,
  username: "ben",
  project: "vision",
  workload_id: "w-1",
  ranks: [0],
  node: "node-1",
  pool: "secure",
  region: "eu-central",
};

function served(): FakeServer {
  return serverCreate()
    .on("GET /api/v1/auth/me", () =>
      identityOf({ everywhere: ["data:view", "data:administer", "data:grant", "audit:read"] }),
    )
    .on("GET /api/v1/data", () => ({
      items: [
        sourceOf(),
        sourceOf({
          id: "vision/results",
          name: "results",
          project: "vision",
          classification: "internal",
        }),
      ],
    }))
    .on("GET /api/v1/data/scans", () => sourceOf())
    .on("GET /api/v1/data/scans/log", () =>
      pageOf([
        { ...use, classification: "phi", mode: "ro", path: "/data/scans", right: "project vision" },
      ]),
    )
    .on("GET /api/v1/teams", () => pageOf([]))
    .on("GET /api/v1/projects", () => pageOf([projectOf("vision"), projectOf("speech")]));
}

test("sources stand with their class and who may use them", async () => {
  served();
  consoleOpen("/data");
  const table = await screen.findByRole("table", { name: "Data sources" });
  expect(table).toHaveTextContent("PHI");
  expect(table).toHaveTextContent("its project vision");
  expect(await faults()).toEqual([]);
});

test("one source tells where it lies, what uses it, and who did; it is granted and withdrawn", async () => {
  const server = served()
    .on("PUT /api/v1/data/scans/grants/project/speech", () => sourceOf())
    .on("DELETE /api/v1/data/scans/grants/project/vision", () => undefined);
  consoleOpen("/data?name=scans");
  expect(await screen.findByText("/srv/data/scans")).toBeVisible();
  const log = await screen.findByRole("table", { name: "Access log of scans" });
  expect(log).toHaveTextContent("grant to project vision");
  expect(log).toHaveTextContent("node-1, pool secure, eu-central");
  await userEvent.click(screen.getByRole("button", { name: "Grant it" }));
  const form = screen.getByRole("form", { name: "Grant scans" });
  await userEvent.click(within(form).getByRole("button", { name: "Grant" }));
  expect(form).toHaveTextContent("Choose a project.");
  await userEvent.click(within(form).getByRole("combobox", { name: "Project" }));
  await userEvent.click(await screen.findByRole("option", { name: "speech" }));
  await userEvent.click(within(form).getByLabelText("Also to write"));
  expect(await faults()).toEqual([]);
  await userEvent.click(within(form).getByRole("button", { name: "Grant" }));
  expect(await server.last("PUT", "/api/v1/data/scans/grants/project/speech")?.json()).toEqual({
    write: true,
  });
  await userEvent.click(screen.getByRole("button", { name: "Withdraw from project vision" }));
  const dialog = await screen.findByRole("dialog");
  expect(dialog).toHaveTextContent("What has it mounted goes on until it ends.");
  await userEvent.click(within(dialog).getByRole("button", { name: "Withdraw grant" }));
  expect(server.last("DELETE", "/api/v1/data/scans/grants/project/vision")).toBeDefined();
});

test("a source is added with what its kind needs", async () => {
  const server = served().on("PUT /api/v1/data/models", () => sourceOf({ id: "models" }));
  consoleOpen("/data?form=new");
  const form = await screen.findByRole("form", { name: "Add a data source" });
  await userEvent.type(within(form).getByLabelText("Name"), "models");
  await userEvent.selectOptions(within(form).getByLabelText("Kind"), "s3");
  await userEvent.type(within(form).getByLabelText("Bucket"), "models");
  await userEvent.click(within(form).getByRole("button", { name: "Add source" }));
  expect(form).toHaveTextContent("Write it, like https://s3.example.com.");
  await userEvent.type(within(form).getByLabelText("Endpoint"), "https://s3.example.com");
  expect(await faults()).toEqual([]);
  await userEvent.click(within(form).getByRole("button", { name: "Add source" }));
  expect(await server.last("PUT", "/api/v1/data/models")?.json()).toEqual({
    kind: "s3",
    classification: "internal",
    regions: [],
    description: "",
    location: { bucket: "models", endpoint: "https://s3.example.com" },
  });
  expect(requestOf(draftOf(undefined, ""))).toEqual({
    faults: { name: expect.any(String), "location.path": expect.any(String) },
  });
});

function reportOf(given: Partial<ComplianceReport> = {}): ComplianceReport {
  return {
    trail_ok: true,
    trail_sentence: "Verified: 12 entries are as they were written.",
    trail_key_trusted: null,
    first_seq: 1,
    last_seq: 12,
    since: null,
    until: null,
    accesses: 2,
    approved: 1,
    unproven: 0,
    violations: 1,
    by_class: { phi: 2 },
    by_pool: { secure: 1, "": 1 },
    findings: [
      {
        kind: "pool",
        seq: 9,
        at,
        sentence: "w-2 used scans on node-2, which is in no pool.",
        workload_id: "w-2",
        source: "scans",
        project: "vision",
      },
    ],
    items: ["approved", "violation"].map((verdict, index) => ({
      ...use,
      seq: 8 + index,
      source: "scans",
      mode: "ro",
      classification: "phi",
      approved_for: ["phi"],
      right: "owner",
      verdict,
    })),
    ...given,
  };
}

test("the compliance report says what should not have been, and whether the trail is whole", async () => {
  const server = served().on("GET /api/v1/compliance", () => reportOf());
  consoleOpen("/compliance?class=phi");
  const verdict = await screen.findByRole("region", { name: "Verdict" });
  expect(verdict).toHaveTextContent("1 violation in 2 uses of classified data");
  expect(verdict).toHaveTextContent("Verified: 12 entries");
  const found = screen.getByRole("list", { name: "Findings" });
  expect(found).toHaveTextContent("Place not approved w-2 used scans on node-2");
  expect(screen.getByRole("table", { name: "Uses of classified data" })).toHaveTextContent(
    "Violation",
  );
  const asked = new URL(server.last("GET", "/api/v1/compliance")?.url ?? "").searchParams;
  expect(asked.get("verify")).toBe("true");
  expect(asked.get("class")).toBe("phi");
  expect(screen.getByRole("link", { name: "CSV" }).getAttribute("href")).toContain("format=csv");
  expect(await faults()).toEqual([]);
});

test.each([
  [{ violations: 0, findings: [], approved: 2 }, "All 2 uses of classified data ran where it may"],
  [{ violations: 0, findings: [], unproven: 1 }, "No violation; 1 use of 2 cannot be proven"],
  [{ violations: 0, findings: [], trail_ok: false }, "so it proves nothing"],
])("a report says %j in a sentence", async (given, said) => {
  served().on("GET /api/v1/compliance", () => reportOf(given));
  consoleOpen("/compliance");
  expect(await screen.findByRole("region", { name: "Verdict" })).toHaveTextContent(said);
});
