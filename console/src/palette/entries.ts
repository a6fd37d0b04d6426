/** What the palette lists for what was typed: groups of entries, best first. Pure. */
import type { Found } from "../api/types";
import type { Command } from "./commands";
import { matchScore } from "./match";
import type { Place } from "./recent";

export type Act =
  | { kind: "command"; command: Command }
  | { kind: "place"; place: Place; of: "recent" | Found["kind"]; state: string | null };

export interface Entry {
  id: string;
  title: string;
  detail: string;
  keys?: string;
  act: Act;
}

export interface Group {
  title: string;
  entries: Entry[];
}

/** So that one look takes all of it in. */
const EACH = 6;
/** Under this a match is an accident. */
const SCORE_MIN = 0.25;
/** From this on a word of the name begins with what was typed. */
const CALLED_MIN = 0.8;

export function groupsOf(
  typed: string,
  commands: readonly Command[],
  recent: readonly Place[],
  found: readonly Found[],
): Group[] {
  const query = typed.trim();
  const groups =
    query === "" ? resting(commands, recent) : matching(query, commands, foundGroups(found));
  return groups.filter(({ entries }) => entries.length > 0);
}

function resting(commands: readonly Command[], recent: readonly Place[]): Group[] {
  const of = (group: Command["group"]) =>
    commands.filter((each) => (each.group ?? "Do") === group).map(commandEntry);
  return [
    { title: "This page", entries: of("This page") },
    { title: "Recent", entries: recent.slice(0, 5).map((place) => recentEntry(place)) },
    { title: "Go to", entries: of("Go to") },
    { title: "Do", entries: of("Do") },
  ];
}

/** What is called so, then what the server found, then what could be meant. */
function matching(query: string, commands: readonly Command[], found: Group[]): Group[] {
  const scored = commands
    .map((command) => ({ command, score: commandScore(command, query) }))
    .sort((a, b) => b.score - a.score);
  const called = scored.filter(({ command }) => matchScore(command.name, query) >= CALLED_MIN);
  const titles = [...new Set(called.map(({ command }) => command.group ?? "Do"))];
  const meant = scored.filter((each) => each.score >= SCORE_MIN && !called.includes(each));
  return [
    ...titles.map((title) => ({
      title,
      entries: called
        .filter(({ command }) => (command.group ?? "Do") === title)
        .slice(0, EACH)
        .map(({ command }) => commandEntry(command)),
    })),
    ...found,
    { title: "Also", entries: meant.slice(0, EACH).map(({ command }) => commandEntry(command)) },
  ];
}

/** A word that somebody might look for it by counts a little less than its name. */
function commandScore({ name, keywords }: Command, query: string): number {
  const words = (keywords ?? "").split(" ").map((word) => 0.8 * matchScore(word, query));
  return Math.max(matchScore(name, query), ...words.filter((score) => score > 0.5));
}

function commandEntry(command: Command): Entry {
  const { id, name, keys } = command;
  return {
    id: `command ${id}`,
    title: name,
    detail: "",
    ...(keys && { keys }),
    act: { kind: "command", command },
  };
}

function recentEntry(place: Place): Entry {
  return {
    id: `recent ${place.href}`,
    title: place.title,
    detail: place.detail,
    act: { kind: "place", place, of: "recent", state: null },
  };
}

const foundTitles: Record<Found["kind"], string> = {
  workload: "Workloads",
  project: "Projects",
  node: "Nodes",
  user: "People",
};

function foundGroups(found: readonly Found[]): Group[] {
  return (Object.keys(foundTitles) as Found["kind"][]).map((kind) => ({
    title: foundTitles[kind],
    entries: found
      .filter((each) => each.kind === kind)
      .slice(0, EACH)
      .map(({ id, title, detail, state }) => ({
        id: `${kind} ${id}`,
        title,
        detail,
        act: {
          kind: "place" as const,
          place: { title, detail, href: hrefOf(kind, id) },
          of: kind,
          state: state ?? null,
        },
      })),
  }));
}

/** People and projects have no page of their own: their workloads are what one looks for. */
export function hrefOf(kind: Found["kind"], id: string): string {
  const name = encodeURIComponent(id);
  switch (kind) {
    case "workload":
      return `/workloads/${name}`;
    case "node":
      return `/nodes/${name}`;
    case "project":
      return `/?project=${name}`;
    case "user":
      return `/workloads?owner=${name}`;
  }
}
