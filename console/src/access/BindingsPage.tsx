/** Every role that is given, with filters that stand in the address. */
import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { useEffect, useState } from "react";
import { EmptyState } from "../frame/EmptyState";
import { NoPermission, PageState } from "../frame/PageState";
import { ShowMore } from "../frame/ShowMore";
import { useMaySomewhere } from "../session/queries";
import classes from "./access.module.css";
import { BindingTable } from "./BindingTable";
import { GiveRole } from "./GiveRole";
import { useBindings, useRoles } from "./queries";
import { useAccessSearch } from "./search";

export default function BindingsPage() {
  if (!useMaySomewhere()("binding:read")) return <NoPermission what="bindings" />;
  return <Bindings />;
}

function Bindings() {
  const mayGive = useMaySomewhere()("binding:set");
  const { data: roles = [] } = useRoles();
  const [search, change] = useAccessSearch();
  const { whose, subject, role, level, target, form } = search;
  const bindings = useBindings(search);
  const filtered = whose ?? subject ?? role ?? level ?? target;
  const clear = () => change({ whose: "", subject: "", role: "", level: "", target: "" });
  return (
    <>
      <search className={classes.bar} aria-label="Filter bindings">
        <NativeSelect
          size="xs"
          aria-label="Whose"
          data={[
            { value: "", label: "Everyone" },
            { value: "user", label: "People and accounts" },
            { value: "group", label: "Groups" },
          ]}
          value={whose ?? ""}
          onChange={(event) => change({ whose: event.currentTarget.value })}
        />
        <Typed
          label="Name of a person, account or group"
          hint="Person or group"
          value={subject ?? ""}
          onChange={(next) => change({ subject: next })}
        />
        <NativeSelect
          size="xs"
          aria-label="Role"
          data={[
            { value: "", label: "Any role" },
            ...roles.map(({ name }) => ({ value: name, label: name })),
          ]}
          value={role ?? ""}
          onChange={(event) => change({ role: event.currentTarget.value })}
        />
        <NativeSelect
          size="xs"
          aria-label="Where"
          data={[
            { value: "", label: "Anywhere" },
            { value: "organisation", label: "Whole organisation" },
            { value: "team", label: "In teams" },
            { value: "project", label: "In projects" },
          ]}
          value={level ?? ""}
          onChange={(event) => change({ level: event.currentTarget.value })}
        />
        <Typed
          label="Name of a team or project"
          hint="Team or project"
          value={target ?? ""}
          onChange={(next) => change({ target: next })}
        />
        {filtered !== undefined && (
          <button type="button" className={classes.textButton} onClick={clear}>
            Clear
          </button>
        )}
        {mayGive && form !== "role" && (
          <Button onClick={() => change({ form: "role" })}>Give a role</Button>
        )}
      </search>
      {form === "role" && <GiveRole onDone={() => change({ form: "" })} />}
      {!bindings.items && <PageState query={bindings} what="bindings" />}
      {bindings.items?.length === 0 && (
        <EmptyState
          title={filtered === undefined ? "No role is given yet" : "Nothing matches"}
          sentence={
            filtered === undefined
              ? "A binding gives a role to a person or a group, somewhere."
              : "No role is given as the filters say. Names are matched as a whole."
          }
        />
      )}
      {bindings.items && bindings.items.length > 0 && (
        <BindingTable bindings={bindings.items} label="Bindings" />
      )}
      <ShowMore list={bindings} />
    </>
  );
}

interface TypedProps {
  label: string;
  hint: string;
  value: string;
  onChange: (value: string) => void;
}

/** A filter that is asked for once the typing settles. */
function Typed({ label, hint, value, onChange }: TypedProps) {
  const [text, setText] = useState(value);
  const settle = useDebouncedCallback(onChange, 250);
  useEffect(() => setText(value), [value]);
  return (
    <TextInput
      size="xs"
      w={144}
      aria-label={label}
      placeholder={hint}
      autoCapitalize="none"
      spellCheck={false}
      value={text}
      onChange={(event) => {
        setText(event.currentTarget.value);
        settle(event.currentTarget.value.trim());
      }}
    />
  );
}
