/** What of the page stands in its address: how far ahead to look, and which teams are folded. */

export const aheads = {
  "6h": { label: "6 h", hours: 6 },
  "24h": { label: "24 h", hours: 24 },
  "7d": { label: "7 d", hours: 168 },
} as const;

export type Ahead = keyof typeof aheads;
export const usualAhead: Ahead = "24h";

export type QueueView = {
  ahead?: Ahead;
  /** Teams that are open though they would be folded, or the other way about. */
  turned?: string[];
};

export function queueViewRead(search: Record<string, unknown>): QueueView {
  const { ahead, turned } = search;
  const teams = (Array.isArray(turned) ? turned : [turned]).filter(
    (each): each is string => typeof each === "string" && each !== "",
  );
  return {
    ...(typeof ahead === "string" && ahead in aheads && { ahead: ahead as Ahead }),
    ...(teams.length > 0 && { turned: teams }),
  };
}
