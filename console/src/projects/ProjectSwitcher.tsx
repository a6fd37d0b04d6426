/** Chooses the project that all pages are about. The choice is the address's `?project=`. */
import { Popover } from "@mantine/core";
import { useRef, useState } from "react";
import { CheckIcon, ProjectIcon, SwitchIcon } from "../frame/icons";
import { matchScore } from "../palette/match";
import { useListbox } from "../palette/useListbox";
import { useIdentity } from "../session/queries";
import classes from "./projects.module.css";
import { useProjectNames } from "./queries";
import { useProjectSwitch, useScopeProjects } from "./scope";

export function ProjectSwitcher({ wide = false }: { wide?: boolean }) {
  const [opened, setOpened] = useState(false);
  const chosen = useScopeProjects();
  const words = chosenInWords(chosen);
  return (
    <Popover
      opened={opened}
      onChange={setOpened}
      position="bottom-start"
      width={264}
      shadow="none"
      trapFocus
      returnFocus
    >
      <Popover.Target>
        <button
          type="button"
          className={classes.target}
          data-wide={wide || undefined}
          aria-label={`Project: ${words}`}
          title={`Project: ${words}`}
          onClick={() => setOpened(!opened)}
        >
          <Badge project={chosen.length === 1 ? chosen[0] : undefined} />
          <span className={classes.name}>{words}</span>
          <SwitchIcon />
        </button>
      </Popover.Target>
      <Popover.Dropdown className={classes.dropdown}>
        <Choices chosen={chosen} onDone={() => setOpened(false)} />
      </Popover.Dropdown>
    </Popover>
  );
}

/** Two letters, drawn by the style sheet: they are no part of what the button is called. */
function Badge({ project }: { project: string | undefined }) {
  return project ? (
    <span className={classes.badge} data-letters={project.slice(0, 2)} aria-hidden />
  ) : (
    <span className={classes.badge} data-all aria-hidden>
      <ProjectIcon />
    </span>
  );
}

function chosenInWords(chosen: readonly string[]): string {
  if (chosen.length === 0) return "All projects";
  return chosen.length === 1 ? (chosen[0] ?? "") : `${chosen.length} projects`;
}

interface Choice {
  project: string | undefined;
  label: string;
}

function Choices({ chosen, onDone }: { chosen: readonly string[]; onDone: () => void }) {
  const [typed, setTyped] = useState("");
  const fieldRef = useRef<HTMLInputElement>(null);
  const names = useProjectNames();
  const { roles, administrator } = useIdentity();
  const projectSwitch = useProjectSwitch();
  const choices = choicesOf(names, typed);

  const choose = (at: number) => {
    const choice = choices[at];
    if (!choice) return;
    projectSwitch(choice.project);
    onDone();
  };
  const { active, setActive, field, listId, optionId } = useListbox(choices.length, typed, choose);

  return (
    <>
      <input
        {...field}
        ref={fieldRef}
        data-autofocus
        className={classes.search}
        aria-label="Find a project"
        placeholder="Find a project"
        value={typed}
        onChange={(event) => setTyped(event.currentTarget.value)}
      />
      <div role="listbox" id={listId} aria-label="Projects" className={classes.list}>
        {choices.map(({ project, label }, at) => {
          const selected = project ? chosen.includes(project) : chosen.length === 0;
          return (
            // biome-ignore lint/a11y/useFocusableInteractive: the field keeps the focus and moves the active choice.
            // biome-ignore lint/a11y/useKeyWithClickEvents: as above.
            <div
              key={label}
              id={optionId(at)}
              role="option"
              aria-selected={selected}
              data-active={at === active || undefined}
              className={classes.option}
              onPointerMove={() => setActive(at)}
              onClick={() => choose(at)}
            >
              <Badge project={project} />
              <span className={classes.optionName}>{label}</span>
              {project && (
                <span className={classes.role}>{administrator ? "" : roles[project]}</span>
              )}
              <span className={classes.tick}>{selected && <CheckIcon />}</span>
            </div>
          );
        })}
        {choices.length === 0 && (
          <p className={classes.nothing}>No project of yours has “{typed.trim()}” in its name.</p>
        )}
      </div>
    </>
  );
}

function choicesOf(names: readonly string[], typed: string): Choice[] {
  const all: Choice = { project: undefined, label: "All projects" };
  const found = names
    .map((project) => ({ project, label: project, score: matchScore(project, typed) }))
    .filter(({ score }) => score > 0);
  if (typed.trim() === "") return [all, ...found];
  found.sort((a, b) => b.score - a.score);
  return matchScore(all.label, typed) > 0.6 ? [...found, all] : found;
}
