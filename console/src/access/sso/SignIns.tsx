/** Who signed in through a provider, and who was refused why, as the audit trail has it. */
import { Link } from "@tanstack/react-router";
import type { AuditEntry } from "../../api/types";
import { PageState } from "../../frame/PageState";
import { useMay } from "../../session/queries";
import { RelativeTime } from "../../time/Times";
import classes from "../access.module.css";
import { FieldGroup } from "../Field";
import { useSignIns } from "./queries";
import sso from "./sso.module.css";

const SHOWN = 10;

export function SignIns({ name }: { name: string }) {
  const mayRead = useMay()("audit:read");
  const signIns = useSignIns(name, mayRead);
  if (!mayRead) return null;
  return (
    <FieldGroup
      title="Last sign-ins"
      sentence="As the audit trail has them, with the reason where somebody was refused."
    >
      {!signIns.data && <PageState query={signIns} what="sign-ins" rows={3} />}
      {signIns.data?.length === 0 && <p className={classes.quiet}>Nobody came through it yet.</p>}
      {signIns.data && signIns.data.length > 0 && (
        <ul className={sso.signIns} aria-label="Last sign-ins">
          {signIns.data.slice(0, SHOWN).map((entry) => (
            <SignIn key={entry.seq} entry={entry} />
          ))}
        </ul>
      )}
    </FieldGroup>
  );
}

function SignIn({ entry: { seq, at, actor, outcome, detail, source } }: { entry: AuditEntry }) {
  const refused = outcome === "refused";
  return (
    <li data-refused={refused || undefined}>
      <span>
        {refused ? "Refused" : actor}
        {refused && typeof detail.why === "string" && `: ${detail.why}`}
        <span className={classes.under}> {source}</span>
      </span>
      <Link to="/audit" search={{ entry: String(seq) }}>
        <RelativeTime at={at} />
      </Link>
    </li>
  );
}
