import { expect, test } from "vitest";
import { choicesOf } from "./ActionFilter";
import { changedVerdict, entryOf, refusedEntry, verdictOf } from "./auditDocuments";
import { dayInWords, daysOf } from "./days";
import { changeInWords, factsOf, fieldsOf } from "./difference";
import { auditSearchRead, queryOf } from "./search";
import { thingOf } from "./thing";
import { remedies, verdictNote, verdictTitle } from "./verdict";
import { didInWords, gistInWords } from "./words";

test("entries are grouped by the day on which they were written there", () => {
  const entries = [
    entryOf({ seq: 3, at: "2026-03-01T09:00:00Z" }),
    entryOf({ seq: 2, at: "2026-02-28T23:10:00Z" }),
    entryOf({ seq: 1, at: "2026-02-28T09:10:00Z" }),
  ];
  const seqs = (zone: string) =>
    daysOf(entries, zone).map((day) => [day.key, day.entries.map(({ seq }) => seq)]);
  expect(seqs("UTC")).toEqual([
    ["2026-03-01", [3]],
    ["2026-02-28", [2, 1]],
  ]);
  expect(seqs("Europe/Berlin")).toEqual([
    ["2026-03-01", [3, 2]],
    ["2026-02-28", [1]],
  ]);
  expect(dayInWords("2026-03-01", "2026-03-01")).toBe("Today");
  expect(dayInWords("2026-02-28", "2026-03-01")).toBe("Yesterday");
  expect(dayInWords("2026-02-22", "2026-03-01")).toBe("Sunday 22 February 2026");
});

test("a difference names each field that changed, with its unit", () => {
  const { before, after } = entryOf().detail;
  const fields = fieldsOf(before, after, "UTC");
  expect(fields.map(({ name, same }) => [name, same])).toEqual([
    ["weight", false],
    ["limits · A100", false],
    ["guarantees · A100", true],
  ]);
  expect(fields[1]?.after).toEqual([{ text: "8 GPUs", marked: true }]);
  expect(changeInWords(entryOf().detail, "UTC")).toBe("weight 1 → 2, and 1 more");
});

test("of lists, only what came or went is marked", () => {
  const [field] = fieldsOf(
    { actions: ["log:read", "audit:read"] },
    { actions: ["audit:read", "node:read"] },
    "UTC",
  );
  expect(field?.before).toEqual([
    { text: "log:read", marked: true },
    { text: "audit:read", marked: false },
  ]);
  expect(field?.after).toEqual([
    { text: "audit:read", marked: false },
    { text: "node:read", marked: true },
  ]);
});

test.each([
  [{ before: null, after: { updated_at_ms: 1, updated_by: "ana" } }, "new"],
  [{ before: { updated_at_ms: 1 }, after: null }, "removed"],
  [{ before: { updated_at_ms: 1 }, after: { updated_at_ms: 2 } }, "renewed"],
  [{ before: { state: "ready" }, after: { state: "ready" } }, "nothing changed"],
  [{ before: [], after: ["lead"] }, "none → lead"],
  [{ before: "one", after: "two" }, "one → two"],
  [{ before: null, after: { max_runtime_seconds: 7200 } }, "max runtime 2 h"],
  [{ name: "nightly" }, ""],
  [{ before: { limits: { A100: 1000 } }, after: { limits: {} } }, "limits · A100 1 GPU → none"],
])("%j in a line is “%s”", (detail, words) => {
  expect(changeInWords(detail, "UTC")).toBe(words);
});

test("other facts of a detail are told with their units", () => {
  expect(factsOf({ before: 1, after: 2 }, "UTC")).toEqual([]);
  const detail = { expires_at_ms: 0, size_bytes: 1536, projects: null, group: true, before: 1 };
  expect(factsOf(detail, "UTC")).toEqual([
    ["expires at", "1970-01-01 00:00:00 UTC"],
    ["size", "1.5 KiB"],
    ["projects", "none"],
    ["group", "yes"],
  ]);
});

test("what was done is said in words, and what was refused as tried", () => {
  expect(didInWords(entryOf())).toBe("Set a quota");
  expect(didInWords(refusedEntry)).toBe("Tried to sign in");
  expect(gistInWords(refusedEntry, "UTC")).toBe("5 times · The name or the password is wrong.");
  const given = { before: [], after: ["lead"] };
  expect(didInWords(entryOf({ action: "binding:set", detail: given }))).toBe("Gave a role");
  const taken = { before: "lead", after: null };
  expect(didInWords(entryOf({ action: "binding:set", detail: taken }))).toBe("Took a role away");
  const cancel = { before: { state: "queued" }, after: { cancelled: true }, reason: "too old" };
  const cancelled = entryOf({ action: "workload:control", detail: cancel });
  expect(didInWords(cancelled)).toBe("Cancelled work");
  expect(gistInWords(cancelled, "UTC")).toMatch(/ · too old$/);
  const request = entryOf({ action: "request:create-user", outcome: "refused", detail: {} });
  expect(didInWords(request)).toBe("Tried to create user");
  expect(didInWords(entryOf({ action: "thing:do" }))).toBe("Thing:do");
});

test("entries lead to what they were done to", () => {
  const of = (action: string, subject: string, detail = {}) =>
    thingOf(entryOf({ action, subject, detail }));
  expect(of("log:read", "w-06h0asr28ryv7a37")?.to).toBe("/workloads/$id");
  expect(of("layout:set", "node-1/3")?.params).toEqual({ name: "node-1" });
  expect(of("user:administer", "ml", { group: true })?.to).toBe("/access/groups/$name");
  expect(of("user:sign-in", "ana")?.to).toBe("/access/people/$name");
  expect(of("audit:verify", "audit")).toBeNull();
  expect(thingOf(refusedEntry)).toBeNull();
});

test("the address is asked of the server, and what it does not know is left out", () => {
  const search = auditSearchRead({ action: "quota:", range: "24h", entry: "x", outcome: "maybe" });
  expect(search).toEqual({ action: "quota:", range: "24h" });
  expect(queryOf(search, "vision", Date.parse("2026-03-02T09:00:00Z"))).toEqual({
    action: "quota:",
    project: "vision",
    since: "2026-03-01T09:00:00.000Z",
  });
  const drawn = { from: "2026-03-01T09:00:00Z", to: "2026-03-01T10:00:00Z" };
  expect(queryOf(auditSearchRead({ ...drawn, request: "r1" }), undefined)).toEqual({
    request_id: "r1",
    since: drawn.from,
    until: drawn.to,
  });
});

test("a resource stands above its actions where there are several", () => {
  const choices = choicesOf(["quota:set", "token:create", "token:revoke", "(many)"]);
  expect(choices.map(({ value, inside }) => [value, inside])).toEqual([
    ["quota:set", false],
    ["token:", false],
    ["token:create", true],
    ["token:revoke", true],
    ["(many)", false],
  ]);
});

test("a verdict says what holds, or where to look and what to do", () => {
  expect(verdictTitle(verdictOf())).toBe("Whole: entries 1 to 12 are as they were written.");
  expect(verdictNote(verdictOf())).toBe(
    "Sealed through entry 10; for 2 entries after that only the chain speaks. Looked at 12 entries and 3 seals in 7 ms.",
  );
  expect(verdictNote(verdictOf({ unsealed: 0 }))).toMatch(/^All of it is sealed\./);
  expect(verdictTitle(changedVerdict)).toBe("Changed: entry 11 is the first that may be wrong.");
  expect(verdictNote(changedVerdict)).toMatch(/^1 fault in entries 1 to 12\./);
  expect(remedies(changedVerdict.faults)).toHaveLength(3);
  expect(remedies([{ kind: "unsigned", first_seq: 1, last_seq: 1, sentence: "" }])[1]).toMatch(
    /audit\.key/,
  );
});
