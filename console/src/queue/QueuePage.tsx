/** Who is next, and why each still waits. */
import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { Queue } from "../api/types";
import { EmptyState } from "../frame/EmptyState";
import { FailureState } from "../frame/FailureState";
import { PageHeader } from "../frame/PageHeader";
import { useProject } from "../projects/scope";
import { counted } from "../quantity/words";
import { ProjectShares } from "./ProjectShares";
import { QueueTable } from "./QueueTable";
import { useQueue, useQueueLive } from "./queries";
import classes from "./queue.module.css";

export default function QueuePage() {
  const project = useProject();
  useQueueLive();
  const list = useQueue(project);
  const first = list.data?.pages[0];
  return (
    <div className={classes.page}>
      <PageHeader title="Queue" count={first?.length.toLocaleString("en")} />
      {list.error && !first && <FailureState error={list.error} onRetry={() => list.refetch()} />}
      {list.isPending && <div className={classes.skeleton} aria-hidden="true" />}
      {first && (
        <>
          <p className={classes.sentence}>{queueSentence(first, project)}</p>
          <ProjectShares projects={first.projects} />
          <Entries list={list} first={first} />
        </>
      )}
    </div>
  );
}

function Entries({ list, first }: { list: ReturnType<typeof useQueue>; first: Queue }) {
  const entries = list.data?.pages.flatMap((page) => page.items) ?? [];
  if (entries.length === 0) {
    return (
      <EmptyState
        title={first.length === 0 ? "Nothing waits" : "Nothing of yours waits"}
        sentence={
          first.length === 0
            ? "What is submitted now starts at once if it fits. What does not fit yet stands here, with the reason."
            : `${counted(first.length, "workload")} of others ${first.length === 1 ? "is" : "are"} in the queue.`
        }
        action={
          <Button component={Link} to="/submit">
            New workload
          </Button>
        }
      />
    );
  }
  return (
    <>
      <QueueTable entries={entries} />
      {list.hasNextPage && (
        <div className={classes.more}>
          <Button
            variant="default"
            loading={list.isFetchingNextPage}
            onClick={() => list.fetchNextPage()}
          >
            Show more
          </Button>
        </div>
      )}
    </>
  );
}

/** "42 wait, 30 of them yours to see. train-llm is next." */
export function queueSentence(queue: Queue, project: string | undefined): string {
  if (queue.length === 0) return "Everything that was submitted has a place.";
  const next = queue.items.find(({ position }) => position === 1)?.workload.name;
  const seen = queue.length - queue.hidden;
  return [
    `${counted(queue.length, "workload")} ${queue.length === 1 ? "waits" : "wait"}` +
      (queue.hidden > 0 ? `, ${seen.toLocaleString("en")} of them yours to see.` : "."),
    ...(project ? [`Shown are those of ${project}.`] : []),
    ...(next ? [`${next} is next.`] : []),
    "Higher priority goes first, then what has waited longest.",
  ].join(" ");
}
