/** Roles beside all that can be done: which includes what, each action in a sentence. */
import { Button, NativeSelect } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { Link } from "@tanstack/react-router";
import { Fragment, useState } from "react";
import type { KnownAction, Role } from "../../api/types";
import { CheckIcon } from "../../frame/icons";
import { PageState } from "../../frame/PageState";
import { counted } from "../../quantity/words";
import { useMay } from "../../session/queries";
import { Ask } from "../Ask";
import classes from "../access.module.css";
import { byResource } from "../actions";
import { useActions, useRoleRemove, useRoles } from "../queries";
import { useAccessSearch } from "../search";
import { resourceInWords } from "../words";
import { RoleEditor } from "./RoleEditor";
import matrix from "./roles.module.css";

export default function RolesPage() {
  const roles = useRoles();
  const actions = useActions();
  if (!roles.data) return <PageState query={roles} what="roles" />;
  if (!actions.data) return <PageState query={actions} what="roles" />;
  return <Roles roles={roles.data} actions={actions.data} />;
}

function Roles({ roles, actions }: { roles: readonly Role[]; actions: readonly KnownAction[] }) {
  const maySet = useMay()("role:set");
  const [search, change] = useAccessSearch();
  const narrow = useMediaQuery("(max-width: 900px)", false, { getInitialValueInEffect: false });
  const chosen = roles.find(({ name }) => name === search.role);
  const close = () => change({ form: "" });
  if (maySet && (search.form === "new" || (search.form === "edit" && chosen))) {
    const edited = search.form === "edit" ? chosen : undefined;
    return (
      <RoleEditor
        key={edited?.name ?? ""}
        role={edited}
        base={edited ? undefined : chosen}
        actions={actions}
        onDone={(role) => change({ form: "", ...(role && { role }) })}
        onLeave={close}
      />
    );
  }
  const shown = narrow ? [chosen ?? roles[0]].filter((each) => each !== undefined) : roles;
  return (
    <>
      <div className={classes.bar}>
        {narrow ? (
          <NativeSelect
            size="xs"
            aria-label="Role"
            data={roles.map(({ name }) => name)}
            value={shown[0]?.name ?? ""}
            onChange={(event) => change({ role: event.currentTarget.value })}
          />
        ) : (
          <span className={classes.count}>
            {counted(roles.length, "role")}. Choose one to see who has it.
          </span>
        )}
        {maySet && (
          <Button onClick={() => change({ form: "new" })}>
            {chosen ? `New role like ${chosen.name}` : "New role"}
          </Button>
        )}
      </div>
      {(chosen ?? (narrow ? shown[0] : undefined)) && (
        <Chosen role={(chosen ?? shown[0]) as Role} maySet={maySet} />
      )}
      <Matrix
        roles={shown}
        actions={actions}
        chosen={chosen?.name}
        onChoose={(role) => change({ role: role === chosen?.name ? "" : role })}
      />
    </>
  );
}

function Chosen({ role, maySet }: { role: Role; maySet: boolean }) {
  const [, change] = useAccessSearch();
  const [asking, setAsking] = useState(false);
  const remove = useRoleRemove(role.name);
  return (
    <section className={matrix.chosen} aria-label={`Role ${role.name}`}>
      <div>
        <h2>
          {role.name}
          {!role.built_in && <span className={classes.mark}>Your own</span>}
        </h2>
        <p>{role.description}</p>
        {role.bindings !== null && (
          <p>
            {role.bindings === 0 ? (
              "Given to nobody."
            ) : (
              <Link to="/access/bindings" search={{ role: role.name }}>
                Given {counted(role.bindings, "time")}
              </Link>
            )}
          </p>
        )}
      </div>
      {maySet && !role.built_in && (
        <div className={classes.actions}>
          <Button variant="default" onClick={() => change({ role: role.name, form: "edit" })}>
            Change
          </Button>
          <Button variant="default" onClick={() => setAsking(true)}>
            Remove
          </Button>
        </div>
      )}
      {asking && (
        <Ask
          title={`Remove the role ${role.name}`}
          does="Remove role"
          change={remove}
          onClose={() => setAsking(false)}
          onDone={() => change({ role: "" })}
        >
          <p>
            {role.bindings
              ? `It is given ${counted(role.bindings, "time")}; take it from all who have it first.`
              : "Nobody has it, so nobody loses anything."}
          </p>
        </Ask>
      )}
    </section>
  );
}

interface MatrixProps {
  roles: readonly Role[];
  actions: readonly KnownAction[];
  chosen: string | undefined;
  onChoose: (role: string) => void;
}

function Matrix({ roles, actions, chosen, onChoose }: MatrixProps) {
  return (
    <table className={matrix.matrix} aria-label="What each role includes">
      <thead>
        <tr>
          <th scope="col">What can be done</th>
          {roles.map(({ name }) => (
            <th key={name} scope="col" data-chosen={name === chosen || undefined}>
              <button type="button" aria-pressed={name === chosen} onClick={() => onChoose(name)}>
                {name}
              </button>
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {byResource(actions).map(({ resource, items }) => (
          <Fragment key={resource}>
            <tr data-resource>
              <th scope="rowgroup" colSpan={roles.length + 1}>
                {resourceInWords(resource)}
              </th>
            </tr>
            {items.map(({ action, about }) => (
              <tr key={action}>
                <th scope="row">
                  {about} <code>{action}</code>
                </th>
                {roles.map((role) => {
                  const includes = role.actions.includes(action);
                  return (
                    <td key={role.name} data-chosen={role.name === chosen || undefined}>
                      {includes && <CheckIcon />}
                      <span className={classes.unseen}>{includes ? "Yes" : "No"}</span>
                    </td>
                  );
                })}
              </tr>
            ))}
          </Fragment>
        ))}
      </tbody>
    </table>
  );
}
