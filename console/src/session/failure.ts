/** Why a provider did not let somebody in: `/#sign-in-failed=…`, one word that stands for words of
 * ours, so that an address can put nothing else on the page. */

const PREFIX = "#sign-in-failed=";

const sentences: Record<string, string> = {
  cancelled: "You did not go on at the provider, so nobody is signed in.",
  expired: "That sign-in took too long, or was begun in another browser. Try it again.",
  disabled: "Your account here is disabled. Ask an administrator.",
  unreachable: "The provider does not answer now. Try again in a moment, or use your password.",
  limited: "Too many sign-ins come from your address. Wait a moment, then try again.",
  unknown: "That provider is not set up here any more.",
};
const OTHERWISE =
  "The provider's answer could not be trusted, so nobody is signed in. An administrator finds the reason in the audit trail.";

/** The sentence, and the address without the word. */
export function failureTake(place: Location, history: History): string | null {
  if (!place.hash.startsWith(PREFIX)) return null;
  const why = place.hash.slice(PREFIX.length);
  history.replaceState(null, "", place.pathname + place.search);
  return sentences[why] ?? OTHERWISE;
}
