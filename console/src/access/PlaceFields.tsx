/** Chooses where a role holds, or where something is asked about: the whole organisation, a team or
 * a project. */
import { NativeSelect, Select } from "@mantine/core";
import type { Action, Level } from "../api/types";
import { useMay } from "../session/queries";
import classes from "./access.module.css";
import { useProjects, useTeams } from "./places/queries";
import { levelInWords } from "./words";

export interface PlaceChosen {
  level: Level;
  target: string;
}

interface Props extends PlaceChosen {
  /** Only places where I may do this are offered. */
  needs: Action;
  onChange: (place: PlaceChosen) => void;
  error?: string | null;
}

const levels: Level[] = ["organisation", "team", "project"];

export function PlaceFields({ level, target, needs, onChange, error }: Props) {
  const names = usePlaces(needs);
  return (
    <>
      <NativeSelect
        label="Where"
        data={levels
          .filter((each) => each === level || names[each].length > 0)
          .map((value) => ({ value, label: levelInWords(value) }))}
        value={level}
        onChange={(event) => {
          const next = event.currentTarget.value as Level;
          onChange({ level: next, target: names[next][0] ?? "" });
        }}
      />
      {level !== "organisation" && (
        <Select
          className={classes.grows ?? ""}
          label={levelInWords(level)}
          searchable
          allowDeselect={false}
          data={[...names[level]]}
          value={target || null}
          error={error}
          nothingFoundMessage={`No ${level} of this name`}
          onChange={(next) => onChange({ level, target: next ?? "" })}
        />
      )}
    </>
  );
}

/** The names of places where I may do something; "" stands for the organisation. */
export function usePlaces(needs: Action): Record<Level, readonly string[]> {
  const may = useMay();
  const { data: teams = [] } = useTeams();
  const { data: projects = [] } = useProjects();
  return {
    organisation: may(needs) ? [""] : [],
    team: teams.map(({ name }) => name).filter((team) => may(needs, { team })),
    project: projects.map(({ name }) => name).filter((project) => may(needs, project)),
  };
}

/** Where to begin: the whole organisation if I may, else the first project, else the first team. */
export function usePlaceFirst(needs: Action): PlaceChosen {
  const names = usePlaces(needs);
  if (names.organisation.length > 0) return { level: "organisation", target: "" };
  const [project] = names.project;
  if (project !== undefined) return { level: "project", target: project };
  return { level: "team", target: names.team[0] ?? "" };
}
