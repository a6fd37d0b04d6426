/** The groups of people: who keeps each, and how many are in it. */
import { Button, TextInput } from "@mantine/core";
import { Link, useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { faultAt } from "../../api/problem";
import { Dialog, DialogActions, DialogFailure, dialogBody } from "../../frame/Dialog";
import { EmptyState } from "../../frame/EmptyState";
import { NoPermission, PageState } from "../../frame/PageState";
import { ShowMore } from "../../frame/ShowMore";
import { counted } from "../../quantity/words";
import { useMay } from "../../session/queries";
import { RelativeTime } from "../../time/Times";
import classes from "../access.module.css";
import { useAccessSearch } from "../search";
import { useGroupCreate, useGroups } from "./queries";

export default function GroupsPage() {
  if (!useMay()("user:read")) return <NoPermission what="groups" />;
  return <Groups />;
}

function Groups() {
  const mayChange = useMay()("user:administer");
  const groups = useGroups();
  const [search, change] = useAccessSearch();
  const make = mayChange && <Button onClick={() => change({ form: "group" })}>New group</Button>;
  return (
    <>
      {search.form === "group" && <GroupForm onClose={() => change({ form: "" })} />}
      {!groups.items && <PageState query={groups} what="groups" />}
      {groups.items?.length === 0 && (
        <EmptyState
          title="No groups yet"
          sentence="A group is people who are given roles together. Make one here, or let your directory keep them by single sign-on or SCIM."
          action={make}
        />
      )}
      {groups.items && groups.items.length > 0 && (
        <>
          <div className={classes.bar}>
            <span className={classes.count}>
              {counted(groups.items.length, "group")}
              {groups.hasNextPage && " and more"}
            </span>
            {make}
          </div>
          <table className={classes.table} aria-label="Groups">
            <thead>
              <tr>
                <th scope="col">Group</th>
                <th scope="col">People</th>
                <th scope="col">Kept by</th>
                <th scope="col" data-wide>
                  Made
                </th>
              </tr>
            </thead>
            <tbody>
              {groups.items.map((group) => (
                <tr key={group.name}>
                  <th scope="row">
                    <Link to="/access/groups/$name" params={{ name: group.name }}>
                      {group.name}
                    </Link>
                  </th>
                  <td data-number>{group.members.toLocaleString("en")}</td>
                  <td>{group.source === "local" ? "Podium" : "your directory"}</td>
                  <td data-wide data-time>
                    <RelativeTime at={group.created_at} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
          <ShowMore list={groups} />
        </>
      )}
    </>
  );
}

function GroupForm({ onClose }: { onClose: () => void }) {
  const create = useGroupCreate();
  const navigate = useNavigate();
  const [fault, setFault] = useState<string | null>(null);

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const name = String(new FormData(event.currentTarget).get("name")).trim();
    setFault(name ? null : "Name it after the people in it.");
    if (!name) return;
    create.mutate(name, {
      onSuccess: () => void navigate({ to: "/access/groups/$name", params: { name } }),
    });
  }

  const nameFault = fault ?? faultAt(create.error, "name");
  return (
    <Dialog title="New group" onClose={onClose}>
      <form className={dialogBody} onSubmit={submit} noValidate>
        <TextInput
          label="Name"
          name="name"
          placeholder="ml-research"
          autoCapitalize="none"
          spellCheck={false}
          maxLength={63}
          data-autofocus
          error={nameFault}
        />
        {create.error && !nameFault && <DialogFailure>{create.error.message}</DialogFailure>}
        <DialogActions>
          <Button variant="default" onClick={onClose}>
            Leave it
          </Button>
          <Button type="submit" loading={create.isPending}>
            Make group
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
