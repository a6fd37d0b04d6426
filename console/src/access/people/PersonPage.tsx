/** One person: what they may do and through what, their groups, and what can be done for them. */
import { Button } from "@mantine/core";
import { Link, Navigate, useParams } from "@tanstack/react-router";
import { useState } from "react";
import type { PersonDetail } from "../../api/types";
import { PageState } from "../../frame/PageState";
import { counted } from "../../quantity/words";
import { useMaySomewhere } from "../../session/queries";
import { RelativeTime } from "../../time/Times";
import classes from "../access.module.css";
import { useAccount } from "../accounts/queries";
import { Detail } from "../Detail";
import { GiveRole } from "../GiveRole";
import { Part } from "../Part";
import { PathTable } from "../PathTable";
import { useAccessSearch } from "../search";
import { sourceInWords } from "../words";
import { PersonActions } from "./PersonActions";
import { usePerson } from "./queries";

export default function PersonPage() {
  const { name = "" } = useParams({ strict: false });
  const person = usePerson(name);
  // Bindings name service accounts as they do people.
  const account = useAccount(name, person.isError);
  if (account.data) return <Navigate to="/access/accounts/$name" params={{ name }} replace />;
  if (!person.data) return <PageState query={person} what="people" />;
  return <Person key={name} person={person.data} />;
}

function Person({ person }: { person: PersonDetail }) {
  const mayGive = useMaySomewhere()("binding:set");
  const [search, change] = useAccessSearch();
  const [once, setOnce] = useState<React.ReactNode>(null);
  const { username, groups, paths } = person;
  return (
    <Detail
      name={username}
      back={<Link to="/access/people">People</Link>}
      sentence={<Sentence person={person} />}
      actions={<PersonActions person={person} onOnce={setOnce} />}
    >
      {once && <div className={classes.aside}>{once}</div>}
      <Part
        title="Roles"
        count={paths.length}
        aside={
          mayGive &&
          search.form !== "role" && (
            <Button variant="default" onClick={() => change({ form: "role" })}>
              Give a role
            </Button>
          )
        }
      >
        {search.form === "role" && (
          <GiveRole
            subject={{ kind: "user", name: username }}
            onDone={() => change({ form: "" })}
          />
        )}
        {paths.length > 0 ? (
          <PathTable paths={paths} label={`Roles of ${username}`} />
        ) : (
          <p className={classes.note}>
            No role yet: {username} can sign in, and sees nothing until somebody gives one.
          </p>
        )}
      </Part>
      <Part title="Groups" count={groups.length}>
        {groups.length > 0 ? (
          <table className={classes.table} aria-label={`Groups of ${username}`}>
            <thead>
              <tr>
                <th scope="col">Group</th>
                <th scope="col">Put in by</th>
              </tr>
            </thead>
            <tbody>
              {groups.map((group) => (
                <tr key={group.name}>
                  <th scope="row">
                    <Link to="/access/groups/$name" params={{ name: group.name }}>
                      {group.name}
                    </Link>
                  </th>
                  <td>{group.source === "local" ? "somebody in Podium" : "your directory"}</td>
                </tr>
              ))}
            </tbody>
          </table>
        ) : (
          <p className={classes.note}>In no group.</p>
        )}
      </Part>
    </Detail>
  );
}

function Sentence({ person }: { person: PersonDetail }) {
  const { display_name, email, source, administrator, disabled_at, last_sign_in_at } = person;
  const facts = [
    display_name,
    email,
    administrator && "Administrator",
    sourceInWords(source),
    `${counted(person.sign_ins, "open sign-in")}, ${counted(person.tokens, "token")}`,
  ].filter(Boolean);
  return (
    <>
      {disabled_at ? (
        <strong>
          Disabled <RelativeTime at={disabled_at} />:{" "}
        </strong>
      ) : null}
      {facts.join(" · ")} ·{" "}
      {last_sign_in_at ? (
        <>
          signed in <RelativeTime at={last_sign_in_at} />
        </>
      ) : (
        "never signed in"
      )}
    </>
  );
}
