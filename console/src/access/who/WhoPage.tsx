/** Who can do this, and through what: everybody who may, with each role by which they may. */
import { Select } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { AccessHolder, AccessPath, Action } from "../../api/types";
import { EmptyState } from "../../frame/EmptyState";
import { NoPermission, PageState } from "../../frame/PageState";
import { ShowMore } from "../../frame/ShowMore";
import { useProject } from "../../projects/scope";
import { counted } from "../../quantity/words";
import { useMay, useMaySomewhere } from "../../session/queries";
import classes from "../access.module.css";
import { byResource } from "../actions";
import { SubjectName } from "../BindingTable";
import { type PlaceChosen, PlaceFields, usePlaceFirst } from "../PlaceFields";
import { PlaceLink } from "../PlaceLink";
import { useActions, useHolders } from "../queries";
import { useAccessSearch } from "../search";
import { placeInWords, resourceInWords } from "../words";

export default function WhoPage() {
  if (!useMaySomewhere()("binding:read")) return <NoPermission what="who can do what" />;
  return <Who />;
}

function Who() {
  const may = useMay();
  const first = usePlaceFirst("binding:read");
  const scope = useProject();
  const { data: actions = [] } = useActions();
  const [search, change] = useAccessSearch();
  const action = (search.action ?? "workload:submit") as Action;
  const begun: PlaceChosen =
    scope && may("binding:read", scope) ? { level: "project", target: scope } : first;
  const place: PlaceChosen = search.level
    ? { level: search.level as PlaceChosen["level"], target: search.target ?? "" }
    : begun;
  const about = actions.find((each) => each.action === action)?.about;
  return (
    <>
      <form
        className={classes.ask}
        aria-label="Who can do what"
        onSubmit={(event) => event.preventDefault()}
      >
        <Select
          className={classes.grows ?? ""}
          label="Who can"
          searchable
          allowDeselect={false}
          maxDropdownHeight={360}
          data={byResource(actions).map(({ resource, items }) => ({
            group: resourceInWords(resource),
            items: items.map(({ action: value }) => ({ value, label: value })),
          }))}
          value={action}
          onChange={(next) => next && change({ action: next })}
        />
        <PlaceFields {...place} needs="binding:read" onChange={(next) => change({ ...next })} />
      </form>
      {about && <p className={classes.lead}>{about}</p>}
      <Holders action={action} place={place} />
    </>
  );
}

function Holders({ action, place }: { action: Action; place: PlaceChosen }) {
  const { level, target } = place;
  const holders = useHolders(action, level, target);
  if (!holders.items) return <PageState query={holders} what="who can do what" />;
  if (holders.items.length === 0) {
    return (
      <EmptyState
        title="Nobody can"
        sentence={`No role that somebody has in ${placeInWords(level, target)} includes ${action}.`}
      />
    );
  }
  return (
    <>
      <p className={classes.note} role="status">
        {counted(holders.items.length, "person or account", "people and accounts")}
        {holders.hasNextPage && ", and more"}
      </p>
      <table className={classes.table} aria-label={`Who can ${action}`}>
        <thead>
          <tr>
            <th scope="col">Who</th>
            <th scope="col">Through what</th>
          </tr>
        </thead>
        <tbody>
          {holders.items.map((holder) => (
            <Holder key={holder.username} holder={holder} />
          ))}
        </tbody>
      </table>
      <ShowMore list={holders} />
    </>
  );
}

function Holder({ holder: { username, kind, display_name, paths } }: { holder: AccessHolder }) {
  return (
    <tr>
      <th scope="row">
        {kind === "service" ? (
          <>
            <Link to="/access/accounts/$name" params={{ name: username }}>
              {username}
            </Link>
            <span className={classes.mark}>Service account</span>
          </>
        ) : (
          <SubjectName kind="user" name={username} />
        )}
        {display_name && <p className={classes.under}>{display_name}</p>}
      </th>
      <td>
        <ul className={classes.list}>
          {paths.map((path) => (
            <li key={`${path.id} ${path.group ?? ""}`}>
              <Through path={path} />
            </li>
          ))}
        </ul>
      </td>
    </tr>
  );
}

/** "lead in team research, through group ml" */
function Through({ path: { role, level, target, group } }: { path: AccessPath }) {
  return (
    <>
      <Link to="/access/roles" search={{ role }}>
        {role}
      </Link>{" "}
      in{" "}
      {level === "organisation" ? (
        "the whole organisation"
      ) : (
        <PlaceLink level={level} target={target} />
      )}
      {group ? (
        <>
          , through group{" "}
          <Link to="/access/groups/$name" params={{ name: group }}>
            {group}
          </Link>
        </>
      ) : (
        <span className={classes.quiet}>, by name</span>
      )}
    </>
  );
}
