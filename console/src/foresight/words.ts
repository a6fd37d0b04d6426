/** What the scheduler foretells, in words. Pure. */
import type { OfferedChange, PlaceInLine, QuotaAfter } from "../api/types";
import { counted, milliInWords } from "../quantity/words";

/** "3 of 12, 2 of 4 in its project, after train-a and 2 others" */
export function placeInWords(place: PlaceInLine): string {
  const { overall, waiting, in_project, project_waiting, ahead, ahead_hidden } = place;
  let words = `${overall.toLocaleString("en")} of ${waiting.toLocaleString("en")}`;
  if (project_waiting < waiting) {
    words += `, ${in_project.toLocaleString("en")} of ${project_waiting.toLocaleString("en")} in its project`;
  }
  const last = ahead.at(-1);
  const others = ahead.length - 1 + ahead_hidden;
  if (last) words += `, after ${last.name}${others > 0 ? ` and ${counted(others, "other")}` : ""}`;
  else if (ahead_hidden > 0) words += ", after work of other projects";
  return words;
}

/** What the button says that does it. */
export function buttonOf({ axis, how, after, fields }: OfferedChange): string {
  if (how === "change") {
    const value = fields[0]?.value;
    return axis === "priority" ? `Set priority ${value}` : `Set time limit ${value}`;
  }
  return `Resubmit with ${withArticle(axis, after)}`;
}

/** The same in the form, where it changes what is written. */
export function formButtonOf({ axis, after, fields }: OfferedChange): string {
  if (axis === "priority") return `Use priority ${fields[0]?.value}`;
  if (axis === "max_runtime") return `Use a time limit of ${fields[0]?.value}`;
  return `Use ${withArticle(axis, after)}`;
}

function withArticle(axis: string, after: string): string {
  if (axis === "gpu_type") return `${after} GPUs`;
  if (axis === "topology") return `replicas ${after}`;
  if (axis === "nodes") return `nodes with ${after}`.replace("nodes with pool", "pool");
  return after;
}

/** "project vision: 6 of 8 H100 guaranteed" */
export function quotaInWords(each: QuotaAfter): string {
  const { level, name, gpu_type, after_milli, limit_milli, guarantee_milli } = each;
  const whose = level === "organisation" ? "organisation" : `${level} ${name}`;
  const type = gpu_type === "all" ? "GPUs" : `${gpu_type} GPUs`;
  const bounds = [
    ...(limit_milli == null ? [] : [`at most ${milliInWords(limit_milli)}`]),
    ...(guarantee_milli == null ? [] : [`${milliInWords(guarantee_milli)} guaranteed`]),
  ];
  return `${whose} would hold ${milliInWords(after_milli)} ${type} (${bounds.join(", ")})`;
}

/** A field's dotted name as a path. Labels of nodes may have dots of their own. */
export function pathOf(field: string): string[] {
  const labels = "resources.nodes.";
  if (field.startsWith(labels)) return ["resources", "nodes", field.slice(labels.length)];
  return field.split(".");
}

/** A spec with other fields; null takes one out. The one that was given stays as it is. */
export function specWith(
  spec: Record<string, unknown>,
  fields: OfferedChange["fields"],
): Record<string, unknown> {
  const copy = structuredClone(spec);
  for (const { field, value } of fields) {
    const path = pathOf(field);
    const last = path.pop();
    let inner: Record<string, unknown> = copy;
    for (const part of path) {
      const next = inner[part];
      if (typeof next === "object" && next !== null) inner = next as Record<string, unknown>;
      else {
        const made: Record<string, unknown> = {};
        inner[part] = made;
        inner = made;
      }
    }
    if (last === undefined) continue;
    if (value == null) delete inner[last];
    else inner[last] = value;
  }
  return copy;
}
