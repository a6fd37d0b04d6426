/** What a bulk action will do and what it did, in words. */
import type { Workload } from "../api/types";
import { counted } from "../quantity/words";
import type { WorkloadFilters } from "../workloads/filters";
import { reasonInWords } from "../workloads/reasons";
import { sinceInWords } from "../workloads/since";
import { isEnded, shownState } from "../workloads/state";
import type { Outcome } from "./actions";

const NAMES_SHOWN = 6;

/** train, sweep, eval and 9 more */
export function namesInWords(rows: Iterable<Pick<Workload, "name">>): string {
  const names = [...rows].map(({ name }) => name);
  const shown = names.slice(0, NAMES_SHOWN);
  const left = names.length - shown.length;
  if (left > 0) return `${shown.join(", ")} and ${left.toLocaleString("en")} more`;
  const last = shown.pop() ?? "";
  return shown.length > 0 ? `${shown.join(", ")} and ${last}` : last;
}

export interface Loss {
  running: number;
  replicas: number;
  waiting: number;
  ended: number;
}

export function lossOf(rows: Iterable<Workload>): Loss {
  const loss: Loss = { running: 0, replicas: 0, waiting: 0, ended: 0 };
  for (const { state, replicas } of rows) {
    if (isEnded(state)) loss.ended += 1;
    else if (state === "queued") loss.waiting += 1;
    else {
      loss.running += 1;
      loss.replicas += replicas.running + replicas.starting + replicas.scheduled;
    }
  }
  return loss;
}

/** One sentence for each kind of workload that is selected. */
export function lossInWords({ running, replicas, waiting, ended }: Loss): string[] {
  return [
    ...(running > 0
      ? [
          `${counted(running, "workload")} ${running === 1 ? "stops" : "stop"}${replicas > 0 ? `, with ${counted(replicas, "replica")}` : ""}. What was written to disk stays; what is only in memory is lost.`,
        ]
      : []),
    ...(waiting > 0
      ? [`${counted(waiting, "workload")} ${waiting === 1 ? "leaves" : "leave"} the queue.`]
      : []),
    ...(ended > 0
      ? [
          `${counted(ended, "workload")} ${ended === 1 ? "has" : "have"} ended already and stay${ended === 1 ? "s" : ""} as ${ended === 1 ? "it is" : "they are"}.`,
        ]
      : []),
  ];
}

/** Cancelled 10 workloads. 1 had ended already. 2 could not be cancelled. */
export function outcomeInWords({ action, done, unchanged, fault_count }: Outcome): string {
  const verb = action.action === "cancel" ? "Cancelled" : "Changed";
  const unchangedWords =
    action.action === "cancel" ? "had ended already" : "had ended or were so already";
  return [
    done > 0 ? `${verb} ${counted(done, "workload")}.` : `${verb} none.`,
    ...(unchanged > 0 ? [`${unchanged.toLocaleString("en")} ${unchangedWords}.`] : []),
    ...(fault_count > 0
      ? [`${fault_count.toLocaleString("en")} could not be ${verb.toLowerCase()}.`]
      : []),
  ].join(" ");
}

/** state Waiting or Running; project finance; owner ada */
export function filtersInWords(filters: WorkloadFilters): string {
  const { project, state, kind, owner, label, reason, node, ended_since, q } = filters;
  const parts: [string, readonly string[] | undefined][] = [
    ["state", state?.map((each) => shownState(each).label)],
    ["project", project],
    ["kind", kind],
    ["owner", owner ? [owner] : undefined],
    ["label", label],
    ["reason", reason?.map(reasonInWords)],
    ["node", node ? [node] : undefined],
    ["ended", ended_since ? [sinceInWords(ended_since)] : undefined],
    ["name or id", q ? [`with “${q}”`] : undefined],
  ];
  const said = parts.filter(([, values]) => values?.length);
  if (said.length === 0) return "All workloads that you can see";
  return `All with ${said.map(([name, values]) => `${name} ${values?.join(name === "label" ? " and " : " or ")}`).join("; ")}`;
}
