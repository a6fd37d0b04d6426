/** The command palette: type to go anywhere and do anything. Loaded when it is first opened. */
import { Modal } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { type ReactNode, useMemo, useState } from "react";
import { answered, api } from "../api/client";
import { ClockIcon, DoIcon, NodesIcon, PersonIcon, ProjectIcon, SearchIcon } from "../frame/icons";
import { counted } from "../quantity/words";
import { StateIcon } from "../workloads/StateIcon";
import { shownState } from "../workloads/state";
import { commandFind, useAllCommands } from "./commands";
import { type Act, type Entry, groupsOf } from "./entries";
import { Keys } from "./Keys";
import { paletteClose, typedAheadTake } from "./opened";
import classes from "./palette.module.css";
import { recentAdd, recentRead } from "./recent";
import { useListbox } from "./useListbox";

export default function Palette() {
  return (
    <Modal
      opened
      onClose={paletteClose}
      withCloseButton={false}
      padding={0}
      size={640}
      yOffset="12dvh"
      radius={12}
      shadow="none"
      transitionProps={{ duration: 0 }}
      classNames={{ content: classes.content ?? "" }}
      attributes={{ content: { "aria-label": "Search or do" } }}
    >
      <Choices />
    </Modal>
  );
}

/** Who types fast asks the server once. */
const SETTLED_MS = 150;

function useFound(typed: string) {
  const [query] = useDebouncedValue(typed.trim(), SETTLED_MS);
  const asked = query.slice(0, 100);
  const search = useQuery({
    queryKey: ["search", asked],
    queryFn: ({ signal }) =>
      answered(api.GET("/api/v1/search", { params: { query: { q: asked } }, signal })),
    enabled: asked !== "",
    staleTime: 10_000,
    placeholderData: keepPreviousData,
  });
  const current = typed.trim() !== "" && asked !== "";
  return {
    found: current ? (search.data?.items ?? []) : [],
    settling: typed.trim() !== "" && (asked !== typed.trim().slice(0, 100) || search.isFetching),
    failed: current && search.isError ? search.error.message : null,
  };
}

function Choices() {
  const router = useRouter();
  const [typed, setTyped] = useState(typedAheadTake);
  const commands = useAllCommands();
  const recent = useMemo(recentRead, []);
  const { found, settling, failed } = useFound(typed);
  const groups = useMemo(
    () => groupsOf(typed, commands, recent, found),
    [typed, commands, recent, found],
  );
  const entries = groups.flatMap((group) => group.entries);

  function choose(at: number) {
    const act = entries[at]?.act;
    if (!act) return;
    if (act.kind === "place") {
      paletteClose();
      recentAdd(act.place);
      router.history.push(hrefKeeping(act.place.href, window.location.search));
      return;
    }
    const command = commandFind(({ id }) => id === act.command.id) ?? act.command;
    paletteClose();
    command.run();
  }

  const { active, setActive, field, listId, optionId } = useListbox(entries.length, typed, choose);
  let at = -1;

  return (
    <>
      <div className={classes.field}>
        <SearchIcon />
        <input
          {...field}
          data-autofocus
          className={classes.input}
          aria-label="Search or do"
          placeholder="Go to a page, find a workload, do anything"
          autoComplete="off"
          spellCheck={false}
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
        />
        <Keys keys="Esc" />
      </div>
      <span role="status" className={classes.said}>
        {settling ? "" : counted(entries.length, "result")}
      </span>
      <div role="listbox" id={listId} aria-label="Results" className={classes.list}>
        {groups.map((group) => (
          // biome-ignore lint/a11y/useSemanticElements: a group of options, not of form fields.
          <div key={group.title} role="group" aria-label={group.title}>
            <div className={classes.group} aria-hidden>
              {group.title}
            </div>
            {group.entries.map((entry) => {
              at += 1;
              const own = at;
              return (
                <Option
                  key={entry.id}
                  id={optionId(own)}
                  entry={entry}
                  active={own === active}
                  onPoint={() => setActive(own)}
                  onChoose={() => choose(own)}
                />
              );
            })}
          </div>
        ))}
      </div>
      {entries.length === 0 && (
        <p className={classes.nothing}>
          {failed ??
            (settling
              ? "Looking…"
              : `Nothing here is called “${typed.trim()}”. Workloads are found by name or id, nodes, projects and people by name.`)}
        </p>
      )}
      <footer className={classes.foot} aria-hidden>
        <span>
          <Keys keys="↑" /> <Keys keys="↓" /> move
        </span>
        <span>
          <Keys keys="↵" /> choose
        </span>
      </footer>
    </>
  );
}

interface OptionProps {
  id: string;
  entry: Entry;
  active: boolean;
  onPoint: () => void;
  onChoose: () => void;
}

function Option({ id, entry, active, onPoint, onChoose }: OptionProps) {
  return (
    // biome-ignore lint/a11y/useFocusableInteractive: the field keeps the focus and moves the active choice.
    // biome-ignore lint/a11y/useKeyWithClickEvents: as above.
    <div
      id={id}
      role="option"
      aria-selected={active}
      className={classes.option}
      onPointerMove={onPoint}
      onClick={onChoose}
    >
      <span className={classes.icon}>{iconOf(entry.act)}</span>
      <span className={classes.title}>{entry.title}</span>
      {entry.detail && <span className={classes.detail}>{entry.detail}</span>}
      {entry.keys && <Keys keys={entry.keys} />}
    </div>
  );
}

function iconOf(act: Act): ReactNode {
  if (act.kind === "command") {
    const Icon = act.command.Icon ?? DoIcon;
    return <Icon />;
  }
  switch (act.of) {
    case "workload":
      return act.state ? <Coloured state={act.state} /> : <DoIcon />;
    case "node":
      return <NodesIcon />;
    case "project":
      return <ProjectIcon />;
    case "user":
      return <PersonIcon />;
    case "recent":
      return <ClockIcon />;
  }
}

function Coloured({ state }: { state: string }) {
  return (
    <span style={{ color: `var(--state-${shownState(state).tone})` }}>
      <StateIcon state={state} />
    </span>
  );
}

/** The place's address; what names no project of its own keeps the one that is chosen. */
export function hrefKeeping(href: string, search: string): string {
  const [path = "/", own = ""] = href.split("?");
  const parameters = new URLSearchParams(own);
  const chosen = new URLSearchParams(search).getAll("project");
  // A thing that was found may belong to any project.
  const keeps = path === "/nodes" || path.startsWith("/nodes/");
  if (keeps && !parameters.has("project")) {
    for (const project of chosen) parameters.append("project", project);
  }
  const text = parameters.toString();
  return text ? `${path}?${text}` : path;
}
