/** The tree of shares as rows of a table: which are shown, how long a bar is, and words. Pure. */
import type { Quotas } from "../api/types";
import { milliInWords } from "../quantity/words";

export type Share = Quotas["items"][number];
export type ShareGpus = Share["gpus"][number];

export const ALL = "all";
/** With more projects than this, teams are folded until one opens them. */
const OPEN_PROJECTS = 12;

export interface ShareRows {
  share: Share;
  /** Steps below the organisation. */
  depth: number;
  /** Null where nothing can be folded. */
  folded: boolean | null;
  gpus: ShareGpus[];
}

/** Preorder, without the projects of folded teams; `project` keeps its own branch alone. */
export function sharesShown(
  quotas: Quotas,
  turned: readonly string[],
  project: string | undefined,
): ShareRows[] {
  const { items } = quotas;
  const foldedByUse = items.filter(({ level }) => level === "project").length > OPEN_PROJECTS;
  const idle = new Set(items.filter(isIdle).map(({ name }) => name));
  const isFolded = (team: string) =>
    !project && (foldedByUse || idle.has(team)) !== turned.includes(team);
  const mine = project && items.find(({ level, name }) => level === "project" && name === project);
  return items
    .filter(({ level, name, team }) => {
      if (level === "organisation") return true;
      if (level === "team") return !mine || name === mine.team;
      return mine ? name === mine.name : !isFolded(team ?? "");
    })
    .map((share) => {
      const under = items.some(({ level, team }) => level === "project" && team === share.name);
      return {
        share,
        depth: { organisation: 0, team: 1, project: 2 }[share.level],
        folded: share.level === "team" && under && !project ? isFolded(share.name) : null,
        gpus: gpusShown(share),
      };
    });
}

/** A team that holds nothing, waits for nothing and has nothing set. */
function isIdle({ level, gpus }: Share): boolean {
  return (
    level === "team" &&
    gpus.every(
      (each) =>
        each.used_milli + each.waiting_milli + each.guarantee_milli === 0 &&
        each.limit_milli === null,
    )
  );
}

/** Types by name; all together only where that says something of its own, or nothing else does. */
function gpusShown({ gpus }: Share): ShareGpus[] {
  const types = gpus.filter(({ gpu_type }) => gpu_type !== ALL);
  const all = gpus.filter(
    ({ gpu_type, set_guarantee_milli, limit_milli, waiting_milli }) =>
      gpu_type === ALL &&
      (types.length === 0 ||
        set_guarantee_milli > 0 ||
        limit_milli !== null ||
        // Work that takes several types waits for none of them alone.
        waiting_milli > types.reduce((sum, each) => sum + each.waiting_milli, 0)),
  );
  return [...all, ...types];
}

/** What a whole bar stands for, of each level and type: neighbours are compared with each other. */
export function barScales(rows: readonly ShareRows[], quotas: Quotas): Map<string, number> {
  const there = new Map(quotas.capacity.map((each) => [each.gpu_type, each.gpu_milli]));
  there.set(
    ALL,
    quotas.capacity.reduce((sum, each) => sum + each.gpu_milli, 0),
  );
  const scales = new Map<string, number>();
  for (const { share, gpus } of rows) {
    for (const each of gpus) {
      const key = scaleKey(share, each);
      const whole = there.get(each.gpu_type) ?? 0;
      const needs = Math.max(
        1000,
        share.level === "organisation" ? whole : 0,
        each.guarantee_milli,
        Math.min(each.limit_milli ?? 0, whole),
        each.used_milli,
        Math.min(each.used_milli + each.waiting_milli, whole),
      );
      scales.set(key, Math.max(scales.get(key) ?? 0, needs));
    }
  }
  return scales;
}

export function scaleKey({ level }: Share, { gpu_type }: ShareGpus): string {
  return `${level} ${gpu_type}`;
}

export interface Bar {
  own: number;
  borrowed: number;
  waiting: number;
  guarantee: number | null;
  limit: number | null;
}

/** Parts in percent of the whole bar; what waits is cut at its end. */
export function barOf(gpus: ShareGpus, whole: number): Bar {
  const percent = (milli: number) => Math.min(100, (milli / whole) * 100);
  const own = percent(gpus.used_milli - gpus.borrowed_milli);
  const borrowed = Math.min(100 - own, percent(gpus.borrowed_milli));
  return {
    own,
    borrowed,
    waiting: Math.min(100 - own - borrowed, percent(gpus.waiting_milli)),
    guarantee: gpus.guarantee_milli > 0 ? percent(gpus.guarantee_milli) : null,
    limit: gpus.limit_milli === null ? null : percent(gpus.limit_milli),
  };
}

export function typeInWords(gpu_type: string): string {
  return gpu_type === ALL ? "All types" : gpu_type;
}

/** All of it, for those who hear it and for whoever points at the bar. */
export function gpusInLines(gpus: ShareGpus): string[] {
  const { guarantee_milli, limit_milli, used_milli, borrowed_milli, waiting_milli } = gpus;
  return [
    `${milliInWords(used_milli)} held now`,
    ...(borrowed_milli > 0 ? [`${milliInWords(borrowed_milli)} of them borrowed`] : []),
    guarantee_milli > 0 ? `${milliInWords(guarantee_milli)} guaranteed` : "nothing guaranteed",
    limit_milli === null ? "no limit" : `${milliInWords(limit_milli)} at most`,
    waiting_milli > 0 ? `${milliInWords(waiting_milli)} waited for` : "nothing waits",
    `${milliInWords(gpus.fair_milli)} would be its due now`,
    ...(gpus.recent_milli > 0 ? [`${milliInWords(gpus.recent_milli)} of past use counts`] : []),
  ];
}
