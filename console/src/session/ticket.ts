/** One-time sign-in links: `/#ticket=…`. main.tsx takes the ticket before anything else looks. */

const PREFIX = "#ticket=";

/** The ticket in the address, which is cleared so that it stays in no history or screenshot. */
export function ticketTake(place: Location, history: History): string | null {
  if (!place.hash.startsWith(PREFIX)) return null;
  const ticket = decodeURIComponent(place.hash.slice(PREFIX.length));
  history.replaceState(null, "", place.pathname + place.search);
  return ticket;
}

/** A link followed in a tab that is already open changes only the hash: start over with it. */
export function ticketWatch(): void {
  window.addEventListener("hashchange", () => {
    if (window.location.hash.startsWith(PREFIX)) window.location.reload();
  });
}
