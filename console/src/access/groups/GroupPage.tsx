/** One group: who is in it, and the roles that it gives. A directory's groups are only looked at. */
import { Button } from "@mantine/core";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import type { GroupMember, UserGroup } from "../../api/types";
import { PageState } from "../../frame/PageState";
import { ShowMore } from "../../frame/ShowMore";
import { counted } from "../../quantity/words";
import { useMay, useMaySomewhere } from "../../session/queries";
import { RelativeTime } from "../../time/Times";
import { Ask } from "../Ask";
import classes from "../access.module.css";
import { BindingTable } from "../BindingTable";
import { Detail } from "../Detail";
import { GiveRole } from "../GiveRole";
import { Part } from "../Part";
import { useBindings } from "../queries";
import { SubjectField } from "../SubjectField";
import { useAccessSearch } from "../search";
import { useGroup, useGroupAdd, useGroupMembers, useGroupRemove, useGroupTake } from "./queries";

export default function GroupPage() {
  const { name = "" } = useParams({ strict: false });
  const group = useGroup(name);
  if (!group.data) return <PageState query={group} what="groups" />;
  return <Group key={name} group={group.data} />;
}

function Group({ group }: { group: UserGroup }) {
  const local = group.source === "local";
  const mayChange = useMay()("user:administer") && local;
  const [asking, setAsking] = useState(false);
  return (
    <Detail
      name={group.name}
      back={<Link to="/access/groups">Groups</Link>}
      sentence={
        <>
          {local
            ? `${counted(group.members, "person", "people")}, kept in Podium.`
            : `${counted(group.members, "person", "people")}. Your directory keeps this group: who is in it is changed there.`}{" "}
          Made <RelativeTime at={group.created_at} />.
        </>
      }
      actions={
        mayChange && (
          <Button variant="default" onClick={() => setAsking(true)}>
            Remove group
          </Button>
        )
      }
    >
      <Roles group={group.name} />
      <Members group={group.name} mayChange={mayChange} />
      {asking && <RemoveDialog group={group} onClose={() => setAsking(false)} />}
    </Detail>
  );
}

function Roles({ group }: { group: string }) {
  const somewhere = useMaySomewhere();
  const [search, change] = useAccessSearch();
  const bindings = useBindings({ whose: "group", subject: group }, somewhere("binding:read"));
  return (
    <Part
      title="Roles"
      count={bindings.items?.length}
      sentence="Everyone in the group has them."
      aside={
        somewhere("binding:set") &&
        search.form !== "role" && (
          <Button variant="default" onClick={() => change({ form: "role" })}>
            Give a role
          </Button>
        )
      }
    >
      {search.form === "role" && (
        <GiveRole subject={{ kind: "group", name: group }} onDone={() => change({ form: "" })} />
      )}
      {bindings.items && bindings.items.length > 0 ? (
        <BindingTable bindings={bindings.items} label={`Roles of ${group}`} without="subject" />
      ) : (
        <p className={classes.note}>The group gives no role yet.</p>
      )}
      <ShowMore list={bindings} />
    </Part>
  );
}

function Members({ group, mayChange }: { group: string; mayChange: boolean }) {
  const members = useGroupMembers(group);
  return (
    <Part title="People" count={members.hasNextPage ? undefined : members.items?.length}>
      {mayChange && <AddMember group={group} />}
      {!members.items && <PageState query={members} what="people" rows={3} />}
      {members.items && members.items.length === 0 && (
        <p className={classes.note}>Nobody is in the group.</p>
      )}
      {members.items && members.items.length > 0 && (
        <table className={classes.table} aria-label={`People in ${group}`}>
          <thead>
            <tr>
              <th scope="col">Person</th>
              <th scope="col">Put in by</th>
              <th scope="col">
                <span className={classes.unseen}>Take out</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {members.items.map((member) => (
              <Member key={member.username} member={member} mayChange={mayChange} />
            ))}
          </tbody>
        </table>
      )}
      <ShowMore list={members} />
    </Part>
  );
}

function Member({ member, mayChange }: { member: GroupMember; mayChange: boolean }) {
  const { group, username, display_name, disabled, source } = member;
  const take = useGroupTake(group, username);
  const [asking, setAsking] = useState(false);
  return (
    <tr>
      <th scope="row">
        <Link to="/access/people/$name" params={{ name: username }}>
          {username}
        </Link>
        {disabled && <span className={classes.mark}>Disabled</span>}
        {display_name && <p className={classes.under}>{display_name}</p>}
      </th>
      <td>{source === "local" ? "somebody in Podium" : "your directory"}</td>
      <td data-end>
        {mayChange && source === "local" && (
          <button
            type="button"
            className={classes.textButton}
            data-ends
            aria-label={`Take out ${username} of ${group}`}
            onClick={() => setAsking(true)}
          >
            Take out
          </button>
        )}
        {asking && (
          <Ask
            title={`Take ${username} out of ${group}`}
            does="Take out"
            change={take}
            onClose={() => setAsking(false)}
          >
            <p>{username} loses what the roles of the group include, at once.</p>
          </Ask>
        )}
      </td>
    </tr>
  );
}

function AddMember({ group }: { group: string }) {
  const add = useGroupAdd(group);
  const [name, setName] = useState("");

  function submit(event: FormEvent) {
    event.preventDefault();
    if (name.trim()) add.mutate(name.trim(), { onSuccess: () => setName("") });
  }

  return (
    <form className={classes.form} onSubmit={submit} aria-label={`Add somebody to ${group}`}>
      <SubjectField
        kind="user"
        label="Person"
        value={name}
        onChange={setName}
        error={add.error?.message ?? null}
      />
      <div className={classes.formActions}>
        <Button type="submit" variant="default" loading={add.isPending}>
          Add to group
        </Button>
      </div>
    </form>
  );
}

function RemoveDialog({ group, onClose }: { group: UserGroup; onClose: () => void }) {
  const remove = useGroupRemove(group.name);
  const navigate = useNavigate();
  return (
    <Ask
      title={`Remove ${group.name}`}
      does="Remove group"
      change={remove}
      onClose={onClose}
      onDone={() => void navigate({ to: "/access/groups" })}
    >
      <p>
        {counted(group.members, "person loses", "people lose")} the roles that the group gives. The
        people themselves stay.
      </p>
    </Ask>
  );
}
