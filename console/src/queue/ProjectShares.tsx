/** What each project holds and what it waits for, on one scale. */
import { Link } from "@tanstack/react-router";
import type { Queue } from "../api/types";
import { counted, milliInWords } from "../quantity/words";
import { Duration } from "../time/Times";
import classes from "./queue.module.css";

type Share = Queue["projects"][number];

export function ProjectShares({ projects }: { projects: readonly Share[] }) {
  const busy = projects.filter((each) => each.waiting > 0 || each.running > 0);
  if (busy.length === 0) return null;
  const most = Math.max(1, ...busy.map((each) => each.gpu_milli_held + each.gpu_milli_wanted));
  return (
    <section className={classes.shares} aria-label="By project">
      <ul>
        {busy.map((share) => (
          <li key={share.project}>
            <Link to="/queue" search={{ project: share.project } as never} className={classes.who}>
              {share.project} <span>{share.team}</span>
            </Link>
            <span
              className={classes.bar}
              role="img"
              aria-label={`${milliInWords(share.gpu_milli_held)} GPUs held, ${milliInWords(share.gpu_milli_wanted)} GPUs wanted`}
            >
              <span
                className={classes.held}
                style={{ width: `${(share.gpu_milli_held / most) * 100}%` }}
              />
              <span
                className={classes.wanted}
                style={{ width: `${(share.gpu_milli_wanted / most) * 100}%` }}
              />
            </span>
            <span className={classes.figures}>
              <Link
                to="/workloads"
                search={{ project: [share.project], state: ["running"] } as never}
              >
                {milliInWords(share.gpu_milli_held)}{" "}
                {share.gpu_milli_held === 1000 ? "GPU" : "GPUs"} held
              </Link>
              {share.waiting === 0 ? (
                <span className={classes.none}>nothing waits</span>
              ) : (
                <Link
                  to="/workloads"
                  search={{ project: [share.project], state: ["queued"] } as never}
                >
                  {milliInWords(share.gpu_milli_wanted)} wanted by{" "}
                  {counted(share.waiting, "workload")}
                </Link>
              )}
              <span>
                {share.oldest_queued_at && (
                  <>
                    longest for <Duration start={share.oldest_queued_at} />
                  </>
                )}
              </span>
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
