/** Makes a team, or a project of one. */
import { Autocomplete, Button, TextInput } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, type ReactNode, useState } from "react";
import { faultAt } from "../../api/problem";
import { Dialog, DialogActions, DialogFailure, dialogBody } from "../../frame/Dialog";
import { useProjectCreate, useTeamCreate } from "./queries";

export function TeamForm({ onClose }: { onClose: () => void }) {
  const create = useTeamCreate();
  const navigate = useNavigate();
  return (
    <PlaceDialog
      title="New team"
      does="Make team"
      example="research"
      create={create}
      onClose={onClose}
      onMake={(name, cost_centre) =>
        create.mutate(
          { name, cost_centre },
          {
            onSuccess: () => void navigate({ to: "/access/places/teams/$name", params: { name } }),
          },
        )
      }
    />
  );
}

interface ProjectProps {
  teams: readonly string[];
  team: string;
  onClose: () => void;
}

export function ProjectForm({ teams, team: begun, onClose }: ProjectProps) {
  const create = useProjectCreate();
  const navigate = useNavigate();
  const [team, setTeam] = useState(begun);
  return (
    <PlaceDialog
      title="New project"
      does="Make project"
      example="vision"
      create={create}
      onClose={onClose}
      onMake={(name, cost_centre) =>
        create.mutate(
          { name, team: team.trim(), cost_centre },
          {
            onSuccess: () =>
              void navigate({ to: "/access/places/projects/$name", params: { name } }),
          },
        )
      }
    >
      <Autocomplete
        label="Team"
        description="A new name makes a new team."
        data={[...teams]}
        value={team}
        onChange={setTeam}
        error={faultAt(create.error, "team")}
      />
    </PlaceDialog>
  );
}

interface Props {
  title: string;
  does: string;
  example: string;
  create: { error: Error | null; isPending: boolean };
  onClose: () => void;
  onMake: (name: string, costCentre: string) => void;
  children?: ReactNode;
}

function PlaceDialog({ title, does, example, create, onClose, onMake, children }: Props) {
  const [fault, setFault] = useState<string | null>(null);

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    const name = String(given.get("name")).trim();
    setFault(name ? null : `Write a name, like ${example}.`);
    if (name) onMake(name, String(given.get("cost_centre")).trim());
  }

  const nameFault = fault ?? faultAt(create.error, "name");
  const said = nameFault ?? faultAt(create.error, "team") ?? faultAt(create.error, "cost_centre");
  return (
    <Dialog title={title} onClose={onClose}>
      <form className={dialogBody} onSubmit={submit} noValidate>
        <TextInput
          label="Name"
          name="name"
          placeholder={example}
          autoCapitalize="none"
          spellCheck={false}
          maxLength={63}
          data-autofocus
          error={nameFault}
        />
        {children}
        <TextInput
          label="Cost centre"
          name="cost_centre"
          description="Where it is billed; may be left empty."
          maxLength={63}
          error={faultAt(create.error, "cost_centre")}
        />
        {create.error && !said && <DialogFailure>{create.error.message}</DialogFailure>}
        <DialogActions>
          <Button variant="default" onClick={onClose}>
            Leave it
          </Button>
          <Button type="submit" loading={create.isPending}>
            {does}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
