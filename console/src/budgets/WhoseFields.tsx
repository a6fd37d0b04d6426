/** Chooses whose work a budget counts: only places whose budgets one may set are offered. */
import { Autocomplete, NativeSelect, Select } from "@mantine/core";
import { useProjects, useTeams } from "../access/places/queries";
import { SubjectField } from "../access/SubjectField";
import type { BudgetLevel } from "../api/types";
import { useMay } from "../session/queries";
import { useMaySetBudget } from "./allowed";
import type { Draft } from "./draft";
import { levels } from "./words";

interface Props {
  draft: Draft;
  faultOf: (field: string) => string | null;
  onChange: (next: Partial<Draft>) => void;
}

export function WhoseFields({ draft: { level, target }, faultOf, onChange }: Props) {
  const whole = useMay()("budget:set");
  const maySet = useMaySetBudget();
  const { data: teams = [] } = useTeams();
  const { data: projects = [] } = useProjects();
  const centres = new Set([...teams, ...projects].map((each) => each.cost_centre).filter(Boolean));
  const names: Partial<Record<BudgetLevel, string[]>> = {
    team: teams.map(({ name }) => name),
    project: projects.map(({ name }) => name).filter((name) => maySet("project", name)),
  };
  const error = faultOf("target");
  const offered = (Object.keys(levels) as BudgetLevel[]).filter(
    (each) => whole || each === "project",
  );
  const listed = names[level];
  return (
    <>
      <NativeSelect
        label="Level"
        data={offered.map((value) => ({ value, label: levels[value] }))}
        value={level}
        error={faultOf("level")}
        onChange={(event) =>
          onChange({ level: event.currentTarget.value as BudgetLevel, target: "" })
        }
      />
      {listed && (
        <Select
          label={levels[level]}
          searchable
          allowDeselect={false}
          placeholder={`Choose a ${level}`}
          data={listed}
          value={target || null}
          error={error}
          nothingFoundMessage={`No ${level} of this name`}
          onChange={(next) => onChange({ target: next ?? "" })}
        />
      )}
      {level === "cost-centre" && (
        <Autocomplete
          label="Cost centre"
          placeholder="CC-2040"
          data={[...centres].sort()}
          value={target}
          error={error}
          onChange={(next) => onChange({ target: next })}
        />
      )}
      {level === "user" && (
        <SubjectField
          kind="user"
          value={target}
          error={error}
          onChange={(next) => onChange({ target: next })}
        />
      )}
    </>
  );
}
