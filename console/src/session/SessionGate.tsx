/** Shows the console to who is signed in, and otherwise sign-in, in place. */
import type { ReactNode } from "react";
import { FailureState } from "../frame/FailureState";
import { DEVICE_PATH, DevicePage } from "./DevicePage";
import { NewPassword } from "./NewPassword";
import { IdentityContext, useIdentityQuery, useTicket } from "./queries";
import { SignIn } from "./SignIn";

interface Props {
  ticket: string | null;
  /** Why a provider did not let somebody in, if that is where they come from. */
  failure?: string | null;
  children: ReactNode;
}

export function SessionGate({ ticket, failure = null, children }: Props) {
  const exchange = useTicket(ticket);
  const identity = useIdentityQuery(ticket === null || !exchange.isPending);

  if (identity.data) {
    const { username, must_change_password } = identity.data;
    if (must_change_password) return <NewPassword username={username} />;
    return window.location.pathname === DEVICE_PATH ? (
      <DevicePage username={username} />
    ) : (
      <IdentityContext value={identity.data}>{children}</IdentityContext>
    );
  }
  if (identity.data === null) return <SignIn linkFailed={exchange.isError} failure={failure} />;
  if (identity.isError) {
    return <FailureState error={identity.error} onRetry={() => identity.refetch()} page />;
  }
  return null;
}
