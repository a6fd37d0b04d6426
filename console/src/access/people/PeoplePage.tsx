/** The people of the organisation: who they are, whether they may sign in, and when they did last. */
import { Button, SegmentedControl } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useRef } from "react";
import type { Person } from "../../api/types";
import { EmptyState } from "../../frame/EmptyState";
import { useKeys } from "../../frame/keys";
import { NoPermission, PageState } from "../../frame/PageState";
import { SearchField } from "../../frame/SearchField";
import { ShowMore } from "../../frame/ShowMore";
import { useMay } from "../../session/queries";
import { RelativeTime } from "../../time/Times";
import classes from "../access.module.css";
import { useAccessSearch } from "../search";
import { sourceInWords } from "../words";
import { PersonForm } from "./PersonForm";
import { usePeople } from "./queries";

const shows = [
  { value: "all", label: "All" },
  { value: "active", label: "Active" },
  { value: "disabled", label: "Disabled" },
];

export default function PeoplePage() {
  if (!useMay()("user:read")) return <NoPermission what="people" />;
  return <People />;
}

function People() {
  const may = useMay();
  const [search, change] = useAccessSearch();
  const { q = "", shown } = search;
  const people = usePeople(q, shown === undefined ? undefined : shown === "disabled");
  const searchRef = useRef<HTMLInputElement>(null);
  useKeys({
    "/": (event) => {
      event.preventDefault();
      searchRef.current?.focus();
    },
  });
  return (
    <>
      <search className={classes.bar} aria-label="Filter people">
        <SearchField
          name="Search people by name or address"
          hint="Name or address"
          value={q}
          inputRef={searchRef}
          onChange={(next) => change({ q: next })}
        />
        <SegmentedControl
          size="xs"
          aria-label="Which people"
          data={shows}
          value={shown ?? "all"}
          onChange={(next) => change({ shown: next === "all" ? "" : next })}
        />
        {may("user:administer") && (
          <Button onClick={() => change({ form: "person" })}>Add a person</Button>
        )}
      </search>
      {search.form === "person" && <PersonForm onClose={() => change({ form: "" })} />}
      {people.items ? (
        <PeopleTable people={people.items} />
      ) : (
        <PageState query={people} what="people" />
      )}
      {people.items?.length === 0 && (
        <EmptyState
          title="Nobody matches"
          sentence="No person has all that the filters ask for."
          action={
            <Button variant="default" onClick={() => change({ q: "", shown: "" })}>
              Clear filters
            </Button>
          }
        />
      )}
      <ShowMore list={people} />
    </>
  );
}

function PeopleTable({ people }: { people: readonly Person[] }) {
  if (people.length === 0) return null;
  return (
    <table className={classes.table} aria-label="People">
      <thead>
        <tr>
          <th scope="col">Person</th>
          <th scope="col" data-wide>
            Address
          </th>
          <th scope="col">Last sign-in</th>
          <th scope="col" data-wide>
            Added
          </th>
        </tr>
      </thead>
      <tbody>
        {people.map((person) => (
          <tr key={person.username}>
            <th scope="row">
              <Link to="/access/people/$name" params={{ name: person.username }}>
                {person.username}
              </Link>
              {person.administrator && <span className={classes.mark}>Administrator</span>}
              {person.disabled_at && <span className={classes.mark}>Disabled</span>}
              <p className={classes.under}>
                {[person.display_name, sourceInWords(person.source)].filter(Boolean).join(" · ")}
              </p>
            </th>
            <td data-wide>{person.email}</td>
            <td data-time>
              {person.last_sign_in_at ? (
                <RelativeTime at={person.last_sign_in_at} />
              ) : (
                <span className={classes.quiet}>never</span>
              )}
            </td>
            <td data-wide data-time>
              <RelativeTime at={person.created_at} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
