/** One provider: whether it answers, what to register there, its settings, what its groups get, and
 * who signed in through it. */
import { Button } from "@mantine/core";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import type { Provider } from "../../api/types";
import { Copyable } from "../../frame/Copyable";
import { FailureState } from "../../frame/FailureState";
import { NoPermission, PageState } from "../../frame/PageState";
import { counted } from "../../quantity/words";
import { Notice } from "../../session/Notice";
import { useMay } from "../../session/queries";
import { startAddress } from "../../session/signIns";
import { RelativeTime } from "../../time/Times";
import { Ask } from "../Ask";
import access from "../access.module.css";
import { Detail } from "../Detail";
import { Fact, Facts, FieldGroup } from "../Field";
import { useAccessSearch } from "../search";
import { GroupsGiven } from "./GroupsGiven";
import { ProviderForm } from "./ProviderForm";
import { useProvider, useProviderRemove, useProviderTry } from "./queries";
import { SeenAtSignIn } from "./SeenAtSignIn";
import { SignIns } from "./SignIns";
import classes from "./sso.module.css";
import { Trial } from "./Trial";
import { groupModes, linkInWords } from "./words";

export default function ProviderPage() {
  const { name = "" } = useParams({ strict: false });
  const provider = useProvider(name);
  if (!useMay()("provider:set")) return <NoPermission what="single sign-on" />;
  if (!provider.data) return <PageState query={provider} what="sign-in providers" />;
  return <Shown key={name} provider={provider.data} />;
}

function Shown({ provider }: { provider: Provider }) {
  const { name, label, issuer, people = 0, updated_at, updated_by } = provider;
  const [{ form }, change] = useAccessSearch();
  const attempt = useProviderTry(name);
  const [removing, setRemoving] = useState(false);
  const { mutate } = attempt;
  // Asked once when it opens, and again when its settings change: the answer is what matters here.
  // biome-ignore lint/correctness/useExhaustiveDependencies: a change asks anew.
  useEffect(() => mutate(), [mutate, updated_at]);
  const changing = form === "provider";
  return (
    <Detail
      name={label}
      back={<Link to="/access/sso">Single sign-on</Link>}
      sentence={
        <>
          {label !== name && `${name} · `}
          {issuer} · {peopleInWords(people)} come through it · changed{" "}
          <RelativeTime at={updated_at} /> by {updated_by}
        </>
      }
      actions={
        !changing && (
          <>
            <Button loading={attempt.isPending} onClick={() => mutate()}>
              Check it
            </Button>
            <Button variant="default" onClick={() => change({ form: "provider" })}>
              Change
            </Button>
            <Button variant="default" onClick={() => setRemoving(true)}>
              Remove
            </Button>
          </>
        )
      }
    >
      {changing ? (
        <ProviderForm
          provider={provider}
          onDone={() => change({ form: "" })}
          onLeave={() => change({ form: "" })}
        />
      ) : (
        <>
          <div className={classes.state}>
            {attempt.data && <Trial trial={attempt.data} />}
            {attempt.isPending && !attempt.data && (
              <p className={access.quiet} role="status">
                Asking {issuer} …
              </p>
            )}
            {attempt.error && <FailureState error={attempt.error} onRetry={() => mutate()} />}
            <Elsewhere provider={provider} />
          </div>
          <AtProvider provider={provider} />
          <Settings provider={provider} />
          <GroupsGiven provider={provider} />
          <SignIns name={name} />
        </>
      )}
      {removing && <RemoveDialog provider={provider} onClose={() => setRemoving(false)} />}
    </Detail>
  );
}

function peopleInWords(people: number): string {
  if (people === 0) return "nobody has";
  return people === 1 ? "1 person has" : `${people.toLocaleString("en")} people have`;
}

/** Where the server gives out another address than the one that this browser came by. */
function Elsewhere({ provider: { redirect_uri } }: { provider: Provider }) {
  const own = new URL(redirect_uri).origin;
  if (own === window.location.origin) return null;
  return (
    <Notice tone="warning">
      You are at {window.location.origin}, and the server takes itself for {own}. People who come by
      your address cannot come back from the provider. Set <code>podium up --public-url</code>, or
      come by {own}.
    </Notice>
  );
}

function AtProvider({ provider }: { provider: Provider }) {
  const { name, label, redirect_uri, backchannel_logout_uri } = provider;
  return (
    <FieldGroup title="At the provider" sentence="What to enter there, letter by letter.">
      <Facts>
        <Fact name="Redirect URI">
          <Copyable text={redirect_uri} />
        </Fact>
        <Fact name="After signing out">
          <Copyable text={`${new URL(redirect_uri).origin}/`} />
        </Fact>
        <Fact name="Back-channel logout">
          <Copyable text={backchannel_logout_uri} />
          <p className={access.under}>
            Only where the provider offers it: who signs out there is signed out here.
          </p>
        </Fact>
      </Facts>
      <SeenAtSignIn label={label} />
      <p className={access.quiet}>
        To try it as a person, open this in a private window, so that you stay signed in here:
      </p>
      <Copyable text={new URL(redirect_uri).origin + startAddress(name, "/")} />
    </FieldGroup>
  );
}

function Settings({ provider }: { provider: Provider }) {
  const { client_id, has_secret, scopes, username_claim, groups_claim, groups } = provider;
  return (
    <FieldGroup title="Settings">
      <Facts>
        <Fact name="Client ID">
          <code>{client_id}</code>
        </Fact>
        <Fact name="Client secret">{has_secret ? "Set, and never shown" : "None"}</Fact>
        <Fact name="Scopes">
          <code>{scopes.join(" ")}</code>
        </Fact>
        <Fact name="Name from">
          <code>{username_claim}</code>
        </Fact>
        <Fact name="Joins accounts here">{linkInWords(provider)}</Fact>
        <Fact name="Groups from">
          {groups_claim ? <code>{groups_claim}</code> : "Nowhere: they are kept here"}
        </Fact>
        {groups_claim && <Fact name="A new group">{groupModes[groups].label}</Fact>}
      </Facts>
    </FieldGroup>
  );
}

function RemoveDialog({ provider, onClose }: { provider: Provider; onClose: () => void }) {
  const { name, label, sign_ins = 0, people = 0 } = provider;
  const remove = useProviderRemove(name);
  const navigate = useNavigate();
  return (
    <Ask
      title={`Remove ${label}`}
      does={`Remove ${label}`}
      change={remove}
      onClose={onClose}
      onDone={() => void navigate({ to: "/access/sso" })}
    >
      <p>
        {sign_ins > 0
          ? `${counted(sign_ins, "open sign-in")} through it ${sign_ins === 1 ? "ends" : "end"} at once. `
          : "No sign-in through it is open. "}
        {people > 0 &&
          `${counted(people, "person", "people")} who came through it stay${people === 1 ? "s" : ""}, with roles and work, and can come in again only by a password, or once a provider with the same issuer is here.`}
      </p>
    </Ask>
  );
}
