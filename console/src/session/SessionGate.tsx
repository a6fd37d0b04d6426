/** Shows the console to who is signed in, and otherwise sign-in, in place. */
import type { ReactNode } from "react";
import { FailureState } from "../frame/FailureState";
import { NewPassword } from "./NewPassword";
import { IdentityContext, useIdentityQuery, useTicket } from "./queries";
import { SignIn } from "./SignIn";

export function SessionGate({ ticket, children }: { ticket: string | null; children: ReactNode }) {
  const exchange = useTicket(ticket);
  const identity = useIdentityQuery(ticket === null || !exchange.isPending);

  if (identity.data) {
    return identity.data.must_change_password ? (
      <NewPassword username={identity.data.username} />
    ) : (
      <IdentityContext value={identity.data}>{children}</IdentityContext>
    );
  }
  if (identity.data === null) return <SignIn linkFailed={exchange.isError} />;
  if (identity.isError) {
    return <FailureState error={identity.error} onRetry={() => identity.refetch()} page />;
  }
  return null;
}
