/** The scheduler's last plan as the server tells it, and what the page makes of it. Pure. */
import type { QueueEntry, QueuePlan } from "../api/types";

export type Turn = QueuePlan["turns"][number];
export type Preempted = QueuePlan["preemptions"][number];
export type TimelineNode = QueuePlan["timeline"]["nodes"][number];

/** As much of a workload as its reader may see; null where that is nothing. */
export type Named = Pick<NonNullable<Turn["workload"]>, "id" | "name" | "project" | "owner">;

export type QueueRow =
  | {
      kind: "mine";
      key: string;
      /** Null: its turn is behind that of another that asks for the same, or not known yet. */
      position: number | null;
      workload: Named;
      turn: Turn | null;
      why: string | null;
      entry: QueueEntry | null;
    }
  /** Work of others that stands between, of which no more is told. */
  | { kind: "others"; key: string; from: number; count: number };

/**
 * Everything that waits in the order of service: first the turns of the plan, then what the queue
 * knows beside them. Of a project alone, when there is one.
 */
export function queueRows(
  plan: QueuePlan | undefined,
  entries: readonly QueueEntry[],
  project: string | undefined,
): QueueRow[] {
  const known = new Map(entries.map((entry) => [entry.workload.id, entry]));
  const rows: QueueRow[] = [];
  const told = new Set<string>();
  const turns = plan?.turns ?? [];
  turns.forEach((turn, at) => {
    const { workload, position } = turn;
    if (workload) {
      told.add(workload.id);
      if (project && workload.project !== project) return;
      const why = plan ? turnInWords(turn, turns[at + 1], plan.order) : null;
      const entry = known.get(workload.id) ?? null;
      rows.push({ kind: "mine", key: workload.id, position, workload, turn, why, entry });
      return;
    }
    if (project) return;
    const last = rows.at(-1);
    if (last?.kind === "others") last.count += 1;
    else rows.push({ kind: "others", key: `others ${position}`, from: position, count: 1 });
  });
  const lastTurn = turns.at(-1)?.position ?? 0;
  for (const entry of entries) {
    const { workload } = entry;
    if (told.has(workload.id)) continue;
    // Its place by age and priority alone would stand in the way of the turns before it.
    const position = plan && entry.position <= lastTurn ? null : entry.position;
    rows.push({ kind: "mine", key: workload.id, position, workload, turn: null, why: null, entry });
  }
  return rows;
}

/** What puts it before the one that comes after it. */
export function turnInWords(turn: Turn, next: Turn | undefined, order: QueuePlan["order"]): string {
  if (turn.inside_guarantee) return "Inside its guarantee";
  if (next && !next.inside_guarantee && turn.priority > next.priority) {
    return `Priority ${turn.priority}`;
  }
  return { fair: "Least of its due", fifo: "Waits longest", attained: "Least GPU time so far" }[
    order
  ];
}

/** By what rule the turns go. */
export function orderInWords(order: QueuePlan["order"] | undefined): string {
  if (!order) return "Higher priority goes first, then what has waited longest.";
  const last = {
    fair: "the project with the least of its due",
    fifo: "what has waited longest",
    attained: "what has had the least GPU time so far",
  }[order];
  return `Work inside its guarantee goes first, then higher priority, then ${last}.`;
}

/** 125 000 → 13 %: of what is due to it, as it counts in the order. */
export function shareInWords(share_ppm: number): string {
  const percent = share_ppm / 10_000;
  return `${percent.toLocaleString("en", { maximumFractionDigits: percent < 10 ? 1 : 0 })} %`;
}
