/** What a page shows in place of its contents: bars of the final size while it loads, or why not. */
import { ProblemError } from "../api/problem";
import { EmptyState } from "./EmptyState";
import { FailureState } from "./FailureState";
import classes from "./pageState.module.css";

interface Props {
  /** As TanStack Query tells it. What was loaded before stays on the screen. */
  query: { isPending: boolean; error: Error | null; data: unknown; refetch: () => unknown };
  /** "nodes": what a person who may not see it is told about. */
  what: string;
  /** How many bars of a row's height stand in while it loads. */
  rows?: number;
}

/** Nothing once there is data: `{query.data ? <Page/> : <PageState query={query} what="nodes" />}` */
export function PageState({ query, what, rows = 8 }: Props) {
  if (query.data !== undefined) return null;
  if (query.error instanceof ProblemError && query.error.status === 403) {
    return <NoPermission what={what} detail={query.error.message} />;
  }
  if (query.error) return <FailureState error={query.error} onRetry={() => query.refetch()} />;
  return <Skeleton rows={rows} label={`Loading ${what}`} />;
}

export function NoPermission({ what, detail }: { what: string; detail?: string }) {
  return (
    <EmptyState
      title="Not yours to see"
      sentence={`${detail ?? `Your roles do not include ${what}.`} A lead of the project or an administrator can give you a role.`}
    />
  );
}

interface SkeletonProps {
  rows?: number;
  /** Pixels; a row of a list unless said otherwise. */
  height?: number;
  label?: string;
}

export function Skeleton({ rows = 8, height, label = "Loading" }: SkeletonProps) {
  return (
    <div className={classes.skeleton} role="status" aria-label={label}>
      {Array.from({ length: rows }, (_, at) => (
        <span
          // biome-ignore lint/suspicious/noArrayIndexKey: bars have nothing else to be told apart by.
          key={at}
          className={classes.row}
          style={{ ...(height && { height }), animationDelay: `${at * 60}ms` }}
        >
          <span className={classes.bar} style={{ width: `${widths[at % widths.length]}%` }} />
        </span>
      ))}
    </div>
  );
}

const widths = [62, 48, 71, 55, 66, 43];
