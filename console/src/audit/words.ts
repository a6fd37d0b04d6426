/** What an entry says, in words: who, did what, and how it went. Pure. */
import type { AuditEntry } from "../api/types";
import { changeInWords } from "./difference";

/** Said of who did it, and of who tried to. */
type Verb = readonly [did: string, todo: string];

const verbs: Record<string, Verb> = {
  "workload:submit": ["Submitted work", "submit work"],
  "workload:control": ["Changed work", "change work"],
  "workload:read": ["Looked at work", "look at work"],
  "log:read": ["Read a log", "read a log"],
  "secret:read": ["Looked at secrets", "look at secrets"],
  "secret:write": ["Set a secret", "set a secret"],
  "secret:use": ["Work was given secrets", "give work secrets"],
  "secret:rotate": ["Renewed a sealing key", "renew a sealing key"],
  "project:read": ["Looked at a project", "look at a project"],
  "project:create": ["Made a project", "make a project"],
  "project:change": ["Changed a project", "change a project"],
  "binding:read": ["Looked at roles", "look at roles"],
  "binding:set": ["Gave or took a role", "give or take a role"],
  "role:set": ["Changed a role", "change a role"],
  "account:manage": ["Changed a service account", "manage service accounts"],
  "user:read": ["Looked at people", "look at people"],
  "user:administer": ["Changed a person", "manage people"],
  "user:sign-in": ["Signed in", "sign in"],
  "user:sign-out": ["Signed out", "sign out"],
  "user:sign-out-everywhere": ["Signed out everywhere", "sign out everywhere"],
  "user:password": ["Changed a password", "change a password"],
  "ticket:redeem": ["Signed in by a link", "sign in by a link"],
  "token:create": ["Made a token", "make a token"],
  "token:revoke": ["Revoked a token", "revoke a token"],
  "device:approve": ["Let a device in", "let a device in"],
  "device:deny": ["Turned a device away", "turn a device away"],
  "provider:set": ["Changed single sign-on", "change single sign-on"],
  "directory:write": ["Kept people by directory", "keep people by directory"],
  "usage:read": ["Looked at usage", "look at usage"],
  "node:read": ["Looked at nodes", "look at nodes"],
  "node:control": ["Cordoned or opened a node", "cordon or open a node"],
  "node:release": ["Gave up a lost node’s work", "give up a lost node’s work"],
  "cluster:manage": ["Changed a cluster", "manage clusters"],
  "cluster:check": ["Tried a cluster", "try a cluster"],
  "cluster:drift": ["Found a project’s namespace changed", "look after a project’s namespace"],
  "price:set": ["Set a price", "set a price"],
  "quota:set": ["Set a quota", "set a quota"],
  "policy:set": ["Set a policy", "set a policy"],
  "booking:set": ["Changed a booking", "book nodes"],
  "pool:set": ["Changed a pool", "change a pool"],
  "layout:set": ["Changed a GPU’s layout", "change a GPU’s layout"],
  "scheduler:read": ["Looked at a cycle", "look at the scheduler"],
  "cycle:export": ["Took a cycle’s record", "take a cycle’s record"],
  "audit:read": ["Read the audit trail", "read the audit trail"],
  "audit:export": ["Exported the audit trail", "export the audit trail"],
  "audit:administer": ["Changed forwarding", "manage the audit trail"],
  "audit:verify": ["Verified the audit trail", "verify the audit trail"],
  "audit:break": ["Declared a break", "declare a break"],
  "audit:alarm": ["Found the trail changed", "raise the alarm"],
  "audit:remove": ["Removed old entries", "remove old entries"],
  "audit:test": ["Tried a forward", "try a forward"],
  "(many)": ["Too many to tell apart", "do many things"],
};

/** What the detail makes more exact. */
function verbOf({ action, detail }: AuditEntry): Verb | undefined {
  const { before, after } = detail;
  const known = verbs[action];
  if (action === "workload:control" && isSet(after, "cancelled")) {
    return ["Cancelled work", "cancel work"];
  }
  if (action === "node:control" && detail.cordoned === true) {
    return ["Cordoned a node", "cordon a node"];
  }
  if (action === "node:control" && detail.cordoned === false) {
    return ["Opened a node again", "open a node"];
  }
  if (action === "user:administer" && detail.created === true) {
    return detail.group ? ["Made a group", "make a group"] : ["Added a person", "add a person"];
  }
  if (action === "binding:set" && "after" in detail) {
    if (isNothing(before)) return ["Gave a role", "give a role"];
    return isNothing(after)
      ? ["Took a role away", "take a role away"]
      : ["Changed somebody’s roles", "change somebody’s roles"];
  }
  if (action === "project:create" && detail.level === "team") return ["Made a team", "make a team"];
  if (action === "secret:write" && before !== undefined && after === null) {
    return ["Removed a secret", "remove a secret"];
  }
  return known;
}

/** "Set a quota", or "Tried to set a quota" where it was refused. */
export function didInWords(entry: AuditEntry): string {
  const { action, outcome } = entry;
  const verb = verbOf(entry);
  if (outcome !== "refused") return verb?.[0] ?? spelled(action);
  if (verb) return `Tried to ${verb[1]}`;
  // The request is named by what it would have done.
  return action.startsWith("request:")
    ? `Tried to ${spelled(action).toLowerCase()}`
    : `Tried: ${spelled(action)}`;
}

/** For the choice of an action. */
export function actionInWords(action: string): string {
  return verbs[action]?.[0] ?? spelled(action);
}

/** `request:create-thing` is "create thing". */
function spelled(action: string): string {
  const text = action.replace(/^request:/, "").replaceAll("-", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** "quotas": what `quota:` is about. */
export function resourceInWords(resource: string): string {
  return resource.replaceAll("-", " ");
}

/** Who it was: nobody is signed in where it is empty, and Podium does things by itself. */
export function whoInWords({ actor }: Pick<AuditEntry, "actor">): string {
  if (actor === "") return "Nobody";
  return actor === "podium" ? "Podium" : actor;
}

/** What the row has room for: what changed, why it was refused, or what else is told. */
export function gistInWords({ detail, outcome }: AuditEntry, zone: string): string {
  const times = typeof detail.times === "number" && detail.times > 1 ? `${detail.times} times` : "";
  return [times, tellingOf(detail, outcome, zone)].filter(Boolean).join(" · ");
}

function tellingOf(detail: AuditEntry["detail"], outcome: string, zone: string): string {
  if (outcome === "refused") return textOf(detail.why);
  const change = changeInWords(detail, zone);
  const told = [detail.reason, detail.fault, detail.name, detail.operation]
    .map(textOf)
    .find(Boolean);
  if (change) return told ? `${change} · ${told}` : change;
  if (told) return told;
  if (Array.isArray(detail.secrets)) return detail.secrets.join(", ");
  if (detail.ok === true) return "whole";
  if (detail.ok === false) return "found changed";
  return "";
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function isNothing(value: unknown): boolean {
  return value == null || (Array.isArray(value) && value.length === 0);
}

function isSet(value: unknown, name: string): boolean {
  return typeof value === "object" && value !== null && name in value;
}
