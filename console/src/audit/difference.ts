/** What an entry's `before` and `after` differ in, field by field and in words. Pure. */
import { bytesInWords, milliInWords } from "../quantity/words";
import { durationInWords, exactIn } from "../time/words";

/** A part of a value; what only one side has is marked. */
export interface Part {
  text: string;
  marked: boolean;
}

export interface Field {
  /** "guarantees · A100" */
  name: string;
  /** Null where that side does not have the field. */
  before: Part[] | null;
  after: Part[] | null;
  same: boolean;
}

/** Changes with every change, so it says nothing in a line. */
const BY_ITSELF = new Set(["updated at", "updated by"]);

type Leaves = Map<string, unknown>;
const SEPARATOR = "\u0000";

/** Fields that differ come first, in the order in which they stand. */
export function fieldsOf(before: unknown, after: unknown, zone: string): Field[] {
  const old = leavesOf(before);
  const now = leavesOf(after);
  const fields = [...new Set([...old.keys(), ...now.keys()])].map((path): Field => {
    const parts = path.split(SEPARATOR);
    const [was, is] = [old.get(path), now.get(path)];
    const same = old.has(path) && now.has(path) && JSON.stringify(was) === JSON.stringify(is);
    return {
      name: nameInWords(parts),
      before: old.has(path) ? partsOf(was, is, parts, zone, same) : null,
      after: now.has(path) ? partsOf(is, was, parts, zone, same) : null,
      same,
    };
  });
  return [...fields.filter(({ same }) => !same), ...fields.filter(({ same }) => same)];
}

/** Everything that a detail tells beside what was before and after. */
export function factsOf(detail: Record<string, unknown>, zone: string): [string, string][] {
  const { before: _before, after: _after, ...others } = detail;
  return [...leavesOf(others)].map(([path, value]) => {
    const parts = path.split(SEPARATOR);
    return [nameInWords(parts), valueInWords(value, parts, zone)];
  });
}

/** "priority 25 → 75, and 2 more": what changed, in a line; empty where nothing is told. */
export function changeInWords(detail: Record<string, unknown>, zone: string): string {
  if (!("before" in detail) && !("after" in detail)) return "";
  const differing = fieldsOf(detail.before, detail.after, zone).filter(({ same }) => !same);
  const changed = differing.filter(({ name }) => !BY_ITSELF.has(name));
  const [first] = changed;
  if (differing.length === 0) return "nothing changed";
  if (!first) {
    return detail.before == null ? "new" : detail.after == null ? "removed" : "renewed";
  }
  const text = (parts: Part[] | null) => parts?.map((part) => part.text).join(", ") ?? "none";
  const name = first.name === "" ? "" : `${first.name} `;
  const one =
    first.before === null
      ? `${name}${text(first.after)}`
      : `${name}${text(first.before)} → ${text(first.after)}`;
  return changed.length > 1 ? `${one}, and ${changed.length - 1} more` : one;
}

function leavesOf(value: unknown, path: readonly string[] = []): Leaves {
  const found: Leaves = new Map();
  // What would stand in an empty object is told where there is something.
  if (value === undefined || isEmptyRecord(value)) return found;
  if (path.length === 0 && value === null) return found;
  if (Array.isArray(value) ? value.some(isObject) : isRecord(value)) {
    for (const [name, each] of Object.entries(value as object)) {
      const label = Array.isArray(value) ? String(Number(name) + 1) : name;
      for (const leaf of leavesOf(each, [...path, label])) found.set(...leaf);
    }
    return found;
  }
  return found.set(path.join(SEPARATOR), value);
}

function partsOf(
  value: unknown,
  other: unknown,
  path: readonly string[],
  zone: string,
  same: boolean,
): Part[] {
  if (!Array.isArray(value) || value.length === 0) {
    return [{ text: valueInWords(value, path, zone), marked: !same }];
  }
  const others: unknown[] = Array.isArray(other) ? other : [];
  return value.map((each) => ({
    text: valueInWords(each, path, zone),
    marked: !others.includes(each),
  }));
}

/** "expires_at_ms" is "expires at": the unit stands with the value. */
function nameInWords(path: readonly string[]): string {
  return path.map((each) => each.replace(UNIT, "").replaceAll("_", " ")).join(" · ");
}

const UNIT = /_(ms|seconds|bytes|milli)$/;
/** A thousandth of a GPU each. */
const GPU_MAPS = new Set(["guarantees", "limits"]);

export function valueInWords(value: unknown, path: readonly string[], zone: string): string {
  if (value === null) return "none";
  if (value === "") return "empty";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (Array.isArray(value)) {
    return value.length === 0
      ? "none"
      : value.map((each) => valueInWords(each, path, zone)).join(", ");
  }
  if (typeof value !== "number") return String(value);
  const unit = UNIT.exec(path.at(-1) ?? "")?.[1];
  if (path.at(-1)?.endsWith("_at_ms")) return exactIn(new Date(value).toISOString(), zone);
  if (unit === "ms") return durationInWords(value / 1_000);
  if (unit === "seconds") return durationInWords(value);
  if (unit === "bytes") return bytesInWords(value);
  if (unit === "milli") return milliInWords(value);
  if (path.length > 1 && GPU_MAPS.has(path[0] ?? ""))
    return `${milliInWords(value)} ${value === 1_000 ? "GPU" : "GPUs"}`;
  return value.toLocaleString("en");
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}

function isEmptyRecord(value: unknown): boolean {
  return isObject(value) && !Array.isArray(value) && Object.keys(value as object).length === 0;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return isObject(value) && !Array.isArray(value) && Object.keys(value as object).length > 0;
}
