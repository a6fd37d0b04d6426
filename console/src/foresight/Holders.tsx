/** Who holds what is waited for, and until when. */
import { Link } from "@tanstack/react-router";
import type { HeldBy } from "../api/types";
import { counted, milliInWords } from "../quantity/words";
import { Moment } from "../time/Times";
import classes from "./foresight.module.css";

interface Props {
  holders: readonly HeldBy[];
  inAll: number;
}

export function Holders({ holders, inAll }: Props) {
  return (
    <section aria-label="In use by">
      <h3 className={classes.title}>In use by</h3>
      <ul className={classes.holders}>
        {holders.map((each, at) => (
          <li key={each.workload?.id ?? `others-${at}`}>
            <span className={classes.holder}>
              {each.workload ? (
                <Link to="/workloads/$id" params={{ id: each.workload.id }} search={{}}>
                  {each.workload.name}
                </Link>
              ) : (
                "Work of another project"
              )}
              {each.workload && (
                <span className={classes.quiet}>
                  {" "}
                  {each.workload.owner} · {each.workload.project}
                </span>
              )}
            </span>
            <span className={classes.held}>{heldInWords(each)}</span>
            <span className={classes.until}>
              <Until holder={each} />
            </span>
          </li>
        ))}
      </ul>
      {inAll > holders.length && (
        <p className={classes.quiet}>And {counted(inAll - holders.length, "other")}.</p>
      )}
    </section>
  );
}

function heldInWords({ gpu_milli, cpu_milli }: HeldBy): string {
  const [milli, noun] = gpu_milli > 0 ? [gpu_milli, "GPU"] : [cpu_milli, "CPU"];
  return `${milliInWords(milli)} ${milli === 1000 ? noun : `${noun}s`}`;
}

function Until({ holder: { until, sure, ending, starts_now } }: { holder: HeldBy }) {
  if (ending) return "is ending";
  if (starts_now) return "starts just now";
  if (!until) return "nobody knows until when";
  return (
    <>
      {sure ? "until " : "until about "}
      <Moment at={until} />
      {sure && " at the latest"}
    </>
  );
}
