/** The time line on a narrow screen: each node with what runs there, is planned and is booked. */
import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { momentInWords } from "../time/words";
import { useTimeZone } from "../time/zone";
import {
  bookingInWords,
  freeInWords,
  gpusInWords,
  type Lane,
  periodInWords,
  whenInWords,
  whoInWords,
} from "./lanes";
import classes from "./timeline.module.css";

const FIRST = 8;

export function TimeList({
  lanes,
  project,
}: {
  lanes: readonly Lane[];
  project: string | undefined;
}) {
  const [all, setAll] = useState(false);
  const zone = useTimeZone();
  const moment = (iso: string) => momentInWords(iso, zone, Date.now());
  const shown = all ? lanes : lanes.slice(0, FIRST);
  return (
    <>
      <ul className={classes.nodes} aria-label="Nodes over time">
        {shown.map(({ node, bars, bookings }) => (
          <li key={node.name}>
            <p className={classes.listHead}>
              <Link to="/nodes/$name" params={{ name: node.name }}>
                {node.name}
              </Link>
              <span>{freeInWords(node)}</span>
            </p>
            <ul>
              {bars.map((bar) => (
                <li key={bar.key} className={classes.item}>
                  <span
                    className={classes.key}
                    data-kind={bar.kind}
                    data-end={bar.end}
                    aria-hidden="true"
                  >
                    <span />
                  </span>
                  <span>
                    {bar.workload && (!project || bar.workload.project === project) ? (
                      <Link to="/workloads/$id" params={{ id: bar.workload.id }}>
                        {bar.workload.name}
                      </Link>
                    ) : (
                      <span className={classes.other}>
                        {project ? "Other work" : whoInWords(bar)}
                      </span>
                    )}{" "}
                    <span className={classes.amount}>{gpusInWords(bar.gpu_milli)}</span>
                  </span>
                  <span className={classes.when}>{whenInWords(bar, moment)}</span>
                </li>
              ))}
              {bookings.map((each) => (
                <li key={each.key} className={classes.item}>
                  <span className={classes.key} data-kind="booked" aria-hidden="true">
                    <span />
                  </span>
                  <span>{bookingInWords(each)}</span>
                  <span className={classes.when}>
                    {periodInWords(each.from, each.until, moment)}
                  </span>
                </li>
              ))}
              {bars.length === 0 && bookings.length === 0 && (
                <li className={classes.empty}>Nothing runs or is planned here.</li>
              )}
            </ul>
          </li>
        ))}
      </ul>
      {lanes.length > FIRST && !all && (
        <div className={classes.more}>
          <Button variant="default" onClick={() => setAll(true)}>
            Show all {lanes.length.toLocaleString("en")} nodes
          </Button>
        </div>
      )}
    </>
  );
}
