/** Where the audit trail is forwarded to: how far each receiver is, what is wrong, and the means to
 * try, change and remove one. For who may administer the trail. */
import { Button } from "@mantine/core";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { EmptyState } from "../../frame/EmptyState";
import { PageHeader } from "../../frame/PageHeader";
import { NoPermission, PageState } from "../../frame/PageState";
import { useMay } from "../../session/queries";
import { useTrailState } from "../queries";
import { ForwardCard } from "./ForwardCard";
import { ForwardForm } from "./ForwardForm";
import classes from "./forwarding.module.css";
import { useForwards } from "./queries";

export default function ForwardingPage() {
  const may = useMay()("audit:administer");
  return (
    <section className={classes.page} aria-label="Forwarding">
      <PageHeader title="Forwarding" />
      <p className={classes.lead}>
        Where the <Link to="/audit">audit trail</Link> is sent as it grows.
      </p>
      {may ? (
        <Forwards />
      ) : (
        <NoPermission
          what="forwarding"
          detail="Administrators decide where the audit trail is sent."
        />
      )}
    </section>
  );
}

function Forwards() {
  const forwards = useForwards();
  const mayRead = useMay()("audit:read");
  const state = useTrailState(mayRead);
  const { form } = useSearch({ strict: false }) as { form?: string };
  const navigate = useNavigate();
  const [fresh, setFresh] = useState<string | null>(null);
  const open = (next: string | undefined) =>
    void navigate({ to: "/audit/forwarding", search: next ? { form: next } : {} });
  if (!forwards.data) return <PageState query={forwards} what="forwarding" rows={4} />;
  const { items } = forwards.data;
  const add = (
    <Button onClick={() => open("forward")}>
      {items.length > 0 ? "Add a receiver" : "Forward the trail"}
    </Button>
  );
  return (
    <>
      {form === "forward" && (
        <ForwardForm
          onDone={(name) => {
            setFresh(name);
            open(undefined);
          }}
          onClose={() => open(undefined)}
        />
      )}
      {items.length === 0 ? (
        <EmptyState
          title="The trail is kept here alone"
          sentence="Sent on as it grows, by syslog or to a webhook, it can be watched elsewhere, and is safe from whoever gets hold of this server."
          example="podium audit forward add siem tls://siem.example.com:6514"
          action={add}
        />
      ) : (
        <>
          <div className={classes.bar}>
            <p>
              {items.length === 1 ? "1 receiver" : `${items.length} receivers`}.{" "}
              {state.data && `The trail is at entry ${state.data.last_seq.toLocaleString("en")}. `}
              One that fails holds up neither the others nor any command.
            </p>
            {add}
          </div>
          <ul className={classes.cards} aria-label="Receivers">
            {items.map((forward) => (
              <ForwardCard key={forward.name} forward={forward} fresh={forward.name === fresh} />
            ))}
          </ul>
        </>
      )}
    </>
  );
}
