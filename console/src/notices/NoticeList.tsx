/** What happened to one's own work, newest first. Opening it marks all as read. */
import { Link } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import type { Notice } from "../api/types";
import { FailureState } from "../frame/FailureState";
import { Skeleton } from "../frame/PageState";
import { anyProject } from "../projects/scope";
import { RelativeTime } from "../time/Times";
import { levelShape } from "./level";
import classes from "./notices.module.css";
import { useNotices, useNoticesRead } from "./queries";

interface Props {
  /** Where what holds the list has no title of its own. */
  titled?: boolean;
  onFollow: () => void;
}

export function NoticeList({ titled = false, onFollow }: Props) {
  const notices = useNotices();
  const read = useNoticesRead();
  const { mutate } = read;
  const items = notices.data?.items;
  const unread = notices.data?.unread ?? 0;
  const newest = items?.[0]?.seq;

  // What was new when the window opened stays marked until it closes.
  const fresh = useRef<Set<number>>(new Set());
  for (const each of items ?? []) if (!each.read) fresh.current.add(each.seq);

  // Each is told once, also when the server did not take it.
  const told = useRef(0);
  useEffect(() => {
    if (unread === 0 || newest === undefined || newest <= told.current) return;
    told.current = newest;
    mutate(newest);
  }, [unread, newest, mutate]);

  return (
    <>
      <header className={classes.head} data-titled={titled || undefined}>
        {titled && <h2 className={classes.title}>Notifications</h2>}
        <span className={classes.said} role="status">
          {fresh.current.size > 0 ? `${fresh.current.size} new, now marked as read` : ""}
        </span>
      </header>
      {notices.isPending && <Skeleton rows={4} label="Loading notifications" />}
      {notices.isError && !items && (
        <FailureState error={notices.error} onRetry={() => notices.refetch()} />
      )}
      {items?.length === 0 && (
        <div className={classes.empty}>
          <p className={classes.emptyTitle}>Nothing yet</p>
          <p>
            When a workload of yours starts, ends or fails while you look elsewhere, it is told
            here, with a link to it.
          </p>
        </div>
      )}
      {items && items.length > 0 && (
        <ul className={classes.list}>
          {items.map((notice) => (
            <NoticeRow
              key={notice.seq}
              notice={notice}
              fresh={fresh.current.has(notice.seq)}
              onFollow={onFollow}
            />
          ))}
        </ul>
      )}
    </>
  );
}

interface RowProps {
  notice: Notice;
  fresh: boolean;
  onFollow: () => void;
}

function NoticeRow({ notice, fresh, onFollow }: RowProps) {
  const content = (
    <>
      <span className={classes.level} data-level={notice.level}>
        {levelShape[notice.level]}
      </span>
      <span className={classes.sentence}>{notice.sentence}</span>
      <span className={classes.where}>
        {notice.project ?? "Budget"} · <RelativeTime at={notice.at} />
      </span>
      {fresh && <span className={classes.fresh} role="img" aria-label="New" />}
    </>
  );
  return (
    <li>
      {notice.workload_id === null ? (
        <Link to="/budgets" search={anyProject} className={classes.notice} onClick={onFollow}>
          {content}
        </Link>
      ) : (
        <Link
          to="/workloads/$id"
          params={{ id: notice.workload_id }}
          search={anyProject}
          className={classes.notice}
          onClick={onFollow}
        >
          {content}
        </Link>
      )}
    </li>
  );
}
