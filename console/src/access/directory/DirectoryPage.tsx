/** Provisioning by SCIM: where a directory writes to, its tokens, what it keeps here, and what
 * becomes of people whom it disables or deletes. */
import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Directory } from "../../api/types";
import { Copyable } from "../../frame/Copyable";
import { NoPermission, PageState } from "../../frame/PageState";
import { counted } from "../../quantity/words";
import { Notice } from "../../session/Notice";
import { useMay } from "../../session/queries";
import { RelativeTime } from "../../time/Times";
import access from "../access.module.css";
import { Part } from "../Part";
import { useAccessSearch } from "../search";
import { Changes } from "./Changes";
import classes from "./directory.module.css";
import { useDirectory } from "./queries";
import { TokenForm } from "./TokenForm";
import { TokenTable } from "./TokenTable";

export default function DirectoryPage() {
  if (!useMay()("provider:set")) return <NoPermission what="provisioning by a directory" />;
  return <Loaded />;
}

function Loaded() {
  const directory = useDirectory();
  if (!directory.data) return <PageState query={directory} what="the directory" />;
  return (
    <>
      <p className={access.lead}>
        A directory such as Entra ID or Okta can keep people and groups here by SCIM 2.0: who joins
        there has an account here, and who leaves there loses access here at once, without waiting
        for their next sign-in.
      </p>
      <Address address={directory.data.address ?? ""} />
      <Tokens directory={directory.data} />
      <Kept directory={directory.data} />
      <Meaning />
    </>
  );
}

function Address({ address }: { address: string }) {
  return (
    <Part
      title="Address"
      top
      sentence="Entra ID calls it tenant URL, Okta base URL. The user name is the unique identifier."
    >
      <div className={access.aside}>
        <Copyable text={address} />
        {isOpen(address) && (
          <Notice tone="warning">
            Over http, others on the way can read the directory's token. Give the server an https
            address before a directory uses it.
          </Notice>
        )}
      </div>
    </Part>
  );
}

function isOpen(address: string): boolean {
  if (!address.startsWith("http://")) return false;
  const { hostname } = new URL(address);
  return !/^(localhost|127\.|\[::1\])/.test(hostname);
}

function Tokens({ directory: { tokens } }: { directory: Directory }) {
  const [{ form }, change] = useAccessSearch();
  return (
    <Part
      title="Tokens"
      top
      count={tokens.length}
      sentence="What a directory signs in with: it can keep people and groups, and nothing else. It can put people into its groups, so it is worth as much as their roles."
      aside={
        form !== "token" && (
          <Button variant="default" onClick={() => change({ form: "token" })}>
            New token
          </Button>
        )
      }
    >
      {form === "token" && <TokenForm onDone={() => change({ form: "" })} />}
      {tokens.length === 0 && form !== "token" && (
        <p className={access.note}>
          No token yet. Make one and give it to the directory with the address above, or run{" "}
          <Copyable text="podium scim token --days 180" />
        </p>
      )}
      {tokens.length > 0 && <TokenTable tokens={tokens} />}
    </Part>
  );
}

function Kept({ directory }: { directory: Directory }) {
  const { users, groups, changed_at, newest = [], tokens } = directory;
  return (
    <Part
      title="Kept by the directory"
      top
      sentence={
        <>
          {changed_at ? (
            <>
              {counted(users, "person", "people")} and {counted(groups, "group")}. Last change{" "}
              <RelativeTime at={changed_at} />.
            </>
          ) : tokens.length > 0 ? (
            "It has not brought anybody yet: start provisioning there, and people show up here."
          ) : (
            "No directory has a token yet."
          )}
        </>
      }
    >
      {newest.length > 0 && <Changes changes={newest} />}
    </Part>
  );
}

function Meaning() {
  return (
    <Part title="What the directory does, and what happens here" top>
      <dl className={classes.meaning}>
        <Row does="Makes a person">
          An account with a name made from theirs (<code>Ada@example.com</code> is <code>ada</code>
          ), without a password and without a role.
        </Row>
        <Row does="Deactivates a person">
          All their sign-ins and tokens end at once, and they are not let in again. Their work goes
          on, and their groups and roles stay for when they are activated again.
        </Row>
        <Row does="Deletes a person">
          The same, and their groups and roles are taken away. What they did stays on record. The
          same person brought again gets the account back, without roles.
        </Row>
        <Row does="Makes a group">
          A group here, which has no role until you <Link to="/access/bindings">give it one</Link>.
        </Row>
        <Row does="Deletes a group">The group goes, and so do the roles that it had.</Row>
        <Row does="Names somebody who was here before">
          It is refused: a directory changes only whom it brought, and never the last administrator.
          Keep an administrator of your own.
        </Row>
      </dl>
      <p className={access.note}>
        People sign in through a <Link to="/access/sso">provider</Link> that may find people of the
        directory. Every change is in the{" "}
        <Link to="/audit" search={{ action: "directory:write" }}>
          audit trail
        </Link>
        .
      </p>
    </Part>
  );
}

function Row({ does, children }: { does: string; children: ReactNode }) {
  return (
    <div>
      <dt>{does}</dt>
      <dd>{children}</dd>
    </div>
  );
}
