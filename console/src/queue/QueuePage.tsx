/** Who is next and why, what runs until when, and who holds how much of what is due to them. */
import { Button } from "@mantine/core";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import type { Queue, QueuePlan } from "../api/types";
import { EmptyState } from "../frame/EmptyState";
import { FailureState } from "../frame/FailureState";
import { PageHeader } from "../frame/PageHeader";
import { ShowMore } from "../frame/ShowMore";
import { useProject } from "../projects/scope";
import { counted } from "../quantity/words";
import { Preemptions } from "./Preemptions";
import { orderInWords, queueRows } from "./plan";
import { QueueTable } from "./QueueTable";
import { usePlan, useQueue, useQueueLive } from "./queries";
import classes from "./queue.module.css";
import { Section } from "./Section";
import { Shares } from "./Shares";
import { Timeline } from "./Timeline";
import { aheads, type QueueView, queueViewRead, usualAhead } from "./view";

/** So many stand there at first, so that what comes after them is near. */
const FIRST_ROWS = 12;

export default function QueuePage() {
  const project = useProject();
  useQueueLive();
  const search = useSearch({ strict: false });
  const { ahead = usualAhead, turned = [] } = queueViewRead(search);
  const navigate = useNavigate();
  const list = useQueue(project);
  const plan = usePlan(aheads[ahead].hours);
  const first = list.data?.pages[0];
  const change = (next: QueueView) =>
    void navigate({
      to: "/queue",
      search: ((before: Record<string, unknown>) => ({ ...before, ...next })) as never,
      replace: true,
    });
  return (
    <div className={classes.page}>
      <PageHeader title="Queue" count={first?.length.toLocaleString("en")} />
      {list.error && !first && <FailureState error={list.error} onRetry={() => list.refetch()} />}
      {list.isPending && <div className={classes.skeleton} aria-hidden="true" />}
      {first && (
        <>
          <p className={classes.sentence}>{queueSentence(first, project, plan.data)}</p>
          <Entries list={list} first={first} plan={plan.data} />
          {plan.error && !plan.data ? (
            <Section title="Time line">
              <FailureState error={plan.error} onRetry={() => plan.refetch()} />
            </Section>
          ) : (
            <Timeline
              plan={plan.data}
              project={project}
              ahead={ahead}
              onAhead={(next) =>
                change({ ahead: next === usualAhead ? undefined : next } as QueueView)
              }
            />
          )}
          <Shares
            projects={first.projects}
            project={project}
            turned={turned}
            onTurned={(next) => change({ turned: next })}
          />
          {plan.data && <Preemptions plan={plan.data} project={project} />}
        </>
      )}
    </div>
  );
}

interface EntriesProps {
  list: ReturnType<typeof useQueue>;
  first: Queue;
  plan: QueuePlan | undefined;
}

function Entries({ list, first, plan }: EntriesProps) {
  const project = useProject();
  const [all, setAll] = useState(false);
  const rows = useMemo(
    () => queueRows(plan, list.data?.pages.flatMap((page) => page.items) ?? [], project),
    [plan, list.data, project],
  );
  if (!rows.some(({ kind }) => kind === "mine")) {
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
  const folded = !all && rows.length > FIRST_ROWS + 2;
  return (
    <>
      <QueueTable rows={folded ? rows.slice(0, FIRST_ROWS) : rows} />
      <ShowMore
        list={{
          hasNextPage: folded || list.hasNextPage,
          isFetchingNextPage: list.isFetchingNextPage,
          fetchNextPage: () => (folded ? setAll(true) : list.fetchNextPage()),
        }}
      />
    </>
  );
}

/** "42 wait, 30 of them yours to see. train-llm is next." */
export function queueSentence(
  queue: Queue,
  project: string | undefined,
  plan?: QueuePlan | undefined,
): string {
  if (queue.length === 0) return "Everything that was submitted has a place.";
  const turn = plan?.turns[0];
  const next = turn
    ? turn.workload?.name
    : queue.items.find(({ position }) => position === 1)?.workload.name;
  const seen = queue.length - queue.hidden;
  return [
    `${counted(queue.length, "workload")} ${queue.length === 1 ? "waits" : "wait"}` +
      (queue.hidden > 0 ? `, ${seen.toLocaleString("en")} of them yours to see.` : "."),
    ...(project ? [`Shown are those of ${project}.`] : []),
    ...(next ? [`${next} is next.`] : []),
    orderInWords(plan?.order),
  ].join(" ");
}
