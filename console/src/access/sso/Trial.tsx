/** What a provider answered just now, or what is wrong there and what to do about it. */
import type { ProviderTrial } from "../../api/types";
import { CheckIcon, WarningIcon } from "../../frame/icons";
import { counted } from "../../quantity/words";
import classes from "./sso.module.css";

export function Trial({ trial }: { trial: ProviderTrial }) {
  const { ok, fault, keys, authorization_endpoint, end_session_endpoint } = trial;
  return (
    <div className={classes.trial} data-ok={ok} role="status">
      {ok ? <CheckIcon /> : <WarningIcon />}
      {ok ? (
        <p>
          It answers, and signs with {counted(keys, "key")} that Podium can check. People sign in at{" "}
          <code>{hostOf(authorization_endpoint)}</code>
          {end_session_endpoint
            ? "; signing out here goes on to its own page."
            : "; signing out here leaves its own session open, as it has no page to end that."}
        </p>
      ) : (
        <p>
          <strong>It cannot be used as it is.</strong> {sentenceOf(fault)} {remedyOf(fault)}
        </p>
      )}
    </div>
  );
}

function hostOf(address: string): string {
  try {
    return new URL(address).host;
  } catch {
    return address;
  }
}

function sentenceOf(fault: string): string {
  return /[.?]$/.test(fault) ? fault : `${fault}.`;
}

function remedyOf(fault: string): string {
  if (/answered 404/.test(fault)) {
    return "Nothing is at …/.well-known/openid-configuration: a part of the path may be missing.";
  }
  if (/certificate/i.test(fault)) {
    return "Where it has an authority of its own, start the server with SSL_CERT_FILE.";
  }
  if (/cannot be reached|does not connect/.test(fault)) {
    return "It is the server that asks, not your browser: check the address, and the way there.";
  }
  return "";
}
