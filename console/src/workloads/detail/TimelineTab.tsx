/** What happened and why: where the time went as a bar, and each event below in plain words. */
import { Button } from "@mantine/core";
import { useState } from "react";
import type { WorkloadDetail } from "../../api/types";
import { ChevronIcon } from "../../frame/icons";
import { PageState } from "../../frame/PageState";
import { counted } from "../../quantity/words";
import { Duration } from "../../time/Times";
import { clockInWords, durationInWords, exactTimes, momentInWords } from "../../time/words";
import { useTimeZone } from "../../time/zone";
import { useWorkloadEvents } from "../queries";
import { StateIcon } from "../StateIcon";
import { isEnded, shownState } from "../state";
import { reasonOf, storyOf, type Told, titleOf, whoseOf } from "./history";
import { PhaseBar } from "./PhaseBar";
import { sentence } from "./sentence";
import classes from "./timeline.module.css";

/** Of one thing that happened to thousands, so many are told one by one. */
const UNFOLDED_MAX = 200;

export function TimelineTab({ workload }: { workload: WorkloadDetail }) {
  const query = useWorkloadEvents(workload.id);
  const { data, hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  if (!data) return <PageState query={query} what="its history" rows={6} />;
  const events = data.pages.flatMap((page) => page.items);
  const story = storyOf(events, workload);
  const live = !isEnded(workload.state);
  return (
    <>
      <PhaseBar workload={workload} events={events} />
      <ol className={classes.history}>
        {story.map((told, at) => (
          <Happening key={told.event.seq} told={told} before={story[at - 1]} workload={workload} />
        ))}
        {live && !hasNextPage && (
          <li className={classes.happening} data-now>
            <span className={classes.icon} data-tone={shownState(workload.state).tone}>
              <StateIcon state={workload.state} />
            </span>
            <span className={classes.what}>
              <span className={classes.title}>Now: {sentence(workload)}</span>
            </span>
            <span className={classes.after}>
              <Duration start={story.at(-1)?.event.at ?? workload.queued_at} />
            </span>
            <span className={classes.at}>now</span>
          </li>
        )}
      </ol>
      {hasNextPage && (
        <div>
          <Button
            variant="default"
            loading={isFetchingNextPage}
            onClick={() => void fetchNextPage()}
          >
            Show later events
          </Button>
        </div>
      )}
    </>
  );
}

interface HappeningProps {
  told: Told;
  before: Told | undefined;
  workload: WorkloadDetail;
}

function Happening({ told, before, workload }: HappeningProps) {
  const { event, ranks, events } = told;
  const [unfolded, setUnfolded] = useState(false);
  const zone = useTimeZone();
  const reason = reasonOf(told);
  const whose = whoseOf(told, workload.replicas.total);
  const sinceMs = before ? Date.parse(event.at) - Date.parse(before.event.at) : 0;
  const title = titleOf(told, workload);
  const each = events.filter(({ rank }) => rank != null);
  return (
    <li className={classes.happening}>
      <span className={classes.icon} data-tone={shownState(event.state).tone}>
        <StateIcon state={event.state} />
      </span>
      <span className={classes.what}>
        <span className={classes.title}>{title}</span>
        {each.length > 1 && (
          <button
            type="button"
            className={classes.fold}
            aria-expanded={unfolded}
            onClick={() => setUnfolded(!unfolded)}
          >
            {ranks.length > 1 ? "each" : counted(each.length, workload.array ? "task" : "replica")}
            <ChevronIcon />
          </button>
        )}
        {(reason || whose) && (
          <span className={classes.why}>{[whose, reason].filter(Boolean).join(" · ")}</span>
        )}
        {unfolded && (
          <ul className={classes.each}>
            {each.slice(0, UNFOLDED_MAX).map(({ seq, rank, at, message }) => (
              <li key={seq}>
                <span>{rank}</span>
                <time dateTime={at} title={exactTimes(at, zone)}>
                  {clockInWords(at, zone)}
                </time>
                <span>{message}</span>
              </li>
            ))}
            {each.length > UNFOLDED_MAX && (
              <li>
                <span />
                <span>{(each.length - UNFOLDED_MAX).toLocaleString("en")} more</span>
              </li>
            )}
          </ul>
        )}
      </span>
      <span className={classes.after} title="After what is above">
        {sinceMs >= 1000 && `+ ${durationInWords(sinceMs / 1000)}`}
      </span>
      <time className={classes.at} dateTime={event.at} title={exactTimes(event.at, zone)}>
        {timeInWords(event.at, zone)}
      </time>
    </li>
  );
}

/** Seconds matter today; on another day the day does, too. */
function timeInWords(iso: string, zone: string): string {
  const moment = momentInWords(iso, zone, Date.now());
  return `${moment.slice(0, -5)}${clockInWords(iso, zone)}`;
}
