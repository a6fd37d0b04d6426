/** One service account: its roles, its tokens, and whether they are let in. */
import { Button } from "@mantine/core";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { TokenForm } from "../../account/TokenForm";
import { TokenTable } from "../../account/TokenTable";
import type { ServiceAccount } from "../../api/types";
import { PageState } from "../../frame/PageState";
import { ShowMore } from "../../frame/ShowMore";
import { counted } from "../../quantity/words";
import { useMay, useMaySomewhere } from "../../session/queries";
import { RelativeTime } from "../../time/Times";
import { Ask } from "../Ask";
import classes from "../access.module.css";
import { Detail } from "../Detail";
import { GiveRole } from "../GiveRole";
import { Part } from "../Part";
import { PathTable } from "../PathTable";
import { useProjects } from "../places/queries";
import { useRoles } from "../queries";
import { useAccessSearch } from "../search";
import {
  useAccount,
  useAccountDisable,
  useAccountRemove,
  useAccountTokenCreate,
  useAccountTokenRevoke,
  useAccountTokens,
} from "./queries";

export default function AccountPage() {
  const { name = "" } = useParams({ strict: false });
  const account = useAccount(name);
  if (!account.data) return <PageState query={account} what="service accounts" />;
  return <Account key={name} account={account.data} />;
}

function Account({ account }: { account: ServiceAccount }) {
  const may = useMay();
  const { name, project, display_name, disabled_at, paths } = account;
  const place = project ?? undefined;
  const manages = may("account:manage", place);
  const mayGive = useMaySomewhere()("binding:set") && (!place || may("binding:set", place));
  const [search, change] = useAccessSearch();
  return (
    <Detail
      name={name}
      back={<Link to="/access/accounts">Service accounts</Link>}
      sentence={
        <>
          {disabled_at && (
            <strong>
              Disabled <RelativeTime at={disabled_at} />:{" "}
            </strong>
          )}
          {[display_name, project ? `of project ${project}` : "of the organisation"]
            .filter(Boolean)
            .join(" · ")}
          , made <RelativeTime at={account.created_at} />
        </>
      }
      actions={manages && <Actions account={account} />}
    >
      <Part
        title="Roles"
        count={paths.length}
        sentence={project && `It belongs to project ${project}, and gets roles only there.`}
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
            subject={{ kind: "user", name }}
            {...(project && { place: { level: "project" as const, target: project } })}
            onDone={() => change({ form: "" })}
          />
        )}
        {paths.length > 0 ? (
          <PathTable paths={paths} label={`Roles of ${name}`} />
        ) : (
          <p className={classes.note}>No role yet, so its tokens can do nothing.</p>
        )}
      </Part>
      <Tokens account={account} manages={manages} />
    </Detail>
  );
}

function Tokens({ account, manages }: { account: ServiceAccount; manages: boolean }) {
  const tokens = useAccountTokens(account.name);
  const revoke = useAccountTokenRevoke(account.name);
  const [search, change] = useAccessSearch();
  return (
    <Part
      title="Tokens"
      count={tokens.items?.length}
      sentence="Each ends by itself, and does no more than the account and whoever made it may do."
      aside={
        manages &&
        search.form !== "token" && (
          <Button variant="default" onClick={() => change({ form: "token" })}>
            New token
          </Button>
        )
      }
    >
      <div className={classes.aside}>
        {search.form === "token" && (
          <NewToken account={account} onDone={() => change({ form: "" })} />
        )}
        {!tokens.items && <PageState query={tokens} what="tokens" rows={3} />}
        {tokens.items?.length === 0 && search.form !== "token" && (
          <p className={classes.quiet}>No tokens yet.</p>
        )}
        {tokens.items && tokens.items.length > 0 && (
          <TokenTable tokens={tokens.items} revoke={revoke} />
        )}
        <ShowMore list={tokens} />
      </div>
    </Part>
  );
}

function NewToken({ account, onDone }: { account: ServiceAccount; onDone: () => void }) {
  const { data: roles = [] } = useRoles();
  const { data: projects = [] } = useProjects();
  const held = new Set(account.paths.map(({ role }) => role));
  const actions = roles.filter(({ name }) => held.has(name)).flatMap((role) => role.actions);
  return (
    <TokenForm
      create={useAccountTokenCreate(account.name)}
      actions={[...new Set(actions)].sort()}
      projects={account.project ? [] : projects.map(({ name }) => name)}
      onDone={onDone}
    />
  );
}

function Actions({ account }: { account: ServiceAccount }) {
  const { name, disabled_at, tokens } = account;
  const [asked, setAsked] = useState<"disable" | "remove" | null>(null);
  const navigate = useNavigate();
  const change = useAccountDisable(name);
  const remove = useAccountRemove(name);
  const disable = {
    ...change,
    mutate: (_: undefined, options: { onSuccess: () => void }) => change.mutate(true, options),
  };
  return (
    <>
      {disabled_at ? (
        <Button loading={change.isPending} onClick={() => change.mutate(false)}>
          Enable
        </Button>
      ) : (
        <Button variant="default" onClick={() => setAsked("disable")}>
          Disable
        </Button>
      )}
      <Button variant="default" onClick={() => setAsked("remove")}>
        Remove
      </Button>
      {asked === "disable" && (
        <Ask
          title={`Disable ${name}`}
          does={`Disable ${name}`}
          change={disable}
          onClose={() => setAsked(null)}
        >
          <p>
            {counted(tokens, "token")} of it {tokens === 1 ? "is" : "are"} turned away until it is
            enabled again. Its work goes on.
          </p>
        </Ask>
      )}
      {asked === "remove" && (
        <Ask
          title={`Remove ${name}`}
          does="Remove account"
          change={remove}
          onClose={() => setAsked(null)}
          onDone={() => void navigate({ to: "/access/accounts" })}
        >
          <p>
            {counted(tokens, "token")} and its roles go with it. An account that ever did something
            stays on record: disable it instead.
          </p>
        </Ask>
      )}
    </>
  );
}
