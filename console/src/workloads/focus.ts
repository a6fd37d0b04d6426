/** Moves the focus along the rows of a list by `step`, for the keys j and k. */
export function focusMove(list: HTMLElement | null, step: 1 | -1): void {
  const links = [...(list?.querySelectorAll<HTMLElement>("[data-row-link]") ?? [])];
  const at = links.indexOf(document.activeElement as HTMLElement);
  const away = at < 0 || areApart(links[at], links[at + step]);
  const next = away ? firstInSight(list, links) : at + step;
  const link = links[Math.min(Math.max(next, 0), links.length - 1)];
  link?.focus({ preventScroll: true });
  link?.scrollIntoView?.({ block: "nearest" });
}

/** The row that has the focus stays drawn where one scrolls away from it, without its neighbours. */
function areApart(one: HTMLElement | undefined, other: HTMLElement | undefined): boolean {
  const [place, next] = [one, other].map((each) =>
    Number(each?.closest<HTMLElement>("[data-index]")?.dataset.index),
  );
  return place !== undefined && next !== undefined && Math.abs(place - next) > 1;
}

/** Rows are drawn beyond both ends of what one sees. */
function firstInSight(list: HTMLElement | null, links: readonly HTMLElement[]): number {
  const head = list?.querySelector("thead")?.getBoundingClientRect().bottom ?? 0;
  return Math.max(
    0,
    links.findIndex((link) => link.getBoundingClientRect().top >= head),
  );
}

/** Turns the box of the row that has the focus, as a click on it would. */
export function focusedTurn(list: HTMLElement | null, shiftKey: boolean): void {
  if (!list?.contains(document.activeElement)) return;
  const row = document.activeElement?.closest("tr[data-index]");
  row
    ?.querySelector('input[type="checkbox"]')
    ?.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, shiftKey }));
}
