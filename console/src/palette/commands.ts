/**
 * Everything that can be done from the keyboard and the palette. The frame puts its own in; a page
 * adds what it offers while it is open with `useCommands`.
 */
import { type ComponentType, useEffect, useRef, useSyncExternalStore } from "react";

export interface Command {
  /** Unique; a later one of the same id takes the place of an earlier one while it is there. */
  id: string;
  /** A verb and what it does: "Cancel train". */
  name: string;
  /** Other words that people may look for it by. */
  keywords?: string;
  /** The heading it stands under; "Do" unless said otherwise. */
  group?: CommandGroup;
  /** "c", "[", or two pressed one after the other: "g w". */
  keys?: string;
  /** Drawn before the name; an arrow unless given. */
  Icon?: ComponentType;
  /** What cannot be taken back asks first, in the page's own words. */
  run: () => void;
}

export type CommandGroup = "This page" | "Do" | "Go to";

type Source = { current: readonly Command[]; rank: number };

const sources = new Set<Source>();
const listeners = new Set<() => void>();
let all: readonly Command[] = [];

function gather(): void {
  const found = new Map<string, Command>();
  for (const source of inOrder()) {
    for (const command of source.current) found.set(command.id, command);
  }
  all = [...found.values()];
  for (const each of listeners) each();
}

/** The frame's come first, whatever was shown first, so that a page's take their place. */
function inOrder(): Source[] {
  return [...sources].sort((a, b) => a.rank - b.rank);
}

/** Offers `commands` while the component is shown. They may be new at each render. */
export function useCommands(commands: readonly Command[], rank = 1): void {
  const held = useRef<Source>(null);
  held.current ??= { current: commands, rank };
  const source = held.current;
  source.current = commands;
  // What is shown of them; `run` is always the latest without telling anyone.
  const shown = JSON.stringify(commands);
  useEffect(() => {
    sources.add(source);
    return () => {
      sources.delete(source);
      gather();
    };
  }, [source]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: only what is shown makes them other ones.
  useEffect(gather, [shown]);
}

export function useAllCommands(): readonly Command[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => all,
  );
}

/** The command as it is now, with its latest `run`. */
export function commandFind(test: (command: Command) => boolean): Command | undefined {
  for (const source of inOrder().reverse()) {
    const found = source.current.find(test);
    if (found) return found;
  }
  return undefined;
}
