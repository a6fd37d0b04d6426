/** What runs on each node and until when, what is planned after it, and where there is room. */
import { useMemo } from "react";
import type { QueuePlan } from "../api/types";
import { useWidth } from "../charts/useWidth";
import { counted } from "../quantity/words";
import { laneOf } from "./lanes";
import legend from "./legend.module.css";
import { Section } from "./Section";
import { TimeList } from "./TimeList";
import { TimeRows } from "./TimeRows";
import classes from "./timeline.module.css";
import { type Ahead, aheads } from "./view";

interface Props {
  plan: QueuePlan | undefined;
  project: string | undefined;
  ahead: Ahead;
  onAhead: (ahead: Ahead) => void;
}

/** Narrower than this, time has no room to run left to right. */
const LIST_PIXELS = 640;

export function Timeline({ plan, project, ahead, onAhead }: Props) {
  const [ref, width] = useWidth();
  const timeline = plan?.timeline;
  const span = useMemo(
    () => ({
      from: Date.parse(timeline?.from ?? ""),
      until: Date.parse(timeline?.until ?? ""),
    }),
    [timeline],
  );
  const lanes = useMemo(
    () => timeline?.nodes.map((node) => laneOf(node, span)) ?? [],
    [timeline, span],
  );
  const narrow = width > 0 && width < LIST_PIXELS;
  return (
    <Section
      title="Time line"
      count={timeline ? nodesInWords(timeline) : undefined}
      aside={<AheadPicker ahead={ahead} onAhead={onAhead} />}
    >
      <div ref={ref}>
        {!timeline && <div className={classes.skeleton} aria-hidden="true" />}
        {timeline && lanes.length === 0 && (
          <p className={classes.none}>
            No node is here yet. Once one reports, what runs on it and what is planned stands here.
          </p>
        )}
        {lanes.length > 0 && (
          <>
            {!narrow && <TimeLegend />}
            {narrow ? (
              <TimeList lanes={lanes} project={project} />
            ) : (
              <TimeRows lanes={lanes} span={span} width={width} project={project} />
            )}
          </>
        )}
      </div>
    </Section>
  );
}

function AheadPicker({ ahead, onAhead }: { ahead: Ahead; onAhead: (ahead: Ahead) => void }) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset would bring its own box.
    <div role="group" aria-label="How far ahead" className={classes.aheads}>
      {(Object.keys(aheads) as Ahead[]).map((each) => (
        <button
          key={each}
          type="button"
          aria-pressed={each === ahead}
          onClick={() => onAhead(each)}
        >
          {aheads[each].label}
        </button>
      ))}
    </div>
  );
}

/** What the shapes mean. */
function TimeLegend() {
  return (
    <ul className={legend.legend} aria-label="Legend">
      {[
        ["running", "certain", "Runs until its limit"],
        ["running", "expected", "Expected end"],
        ["running", "open", "End not known"],
        ["planned", "expected", "Planned"],
        ["booked", undefined, "Booked"],
        ["free", undefined, "Room"],
      ].map(([kind, end, words]) => (
        <li key={words}>
          <span className={classes.key} data-kind={kind} data-end={end} aria-hidden="true">
            <span />
          </span>
          {words}
        </li>
      ))}
    </ul>
  );
}

function nodesInWords({ nodes, nodes_left_out }: QueuePlan["timeline"]): string {
  if (nodes_left_out === 0) return counted(nodes.length, "node");
  const all = (nodes.length + nodes_left_out).toLocaleString("en");
  return `${nodes.length.toLocaleString("en")} of ${all} nodes, those where the most is to come`;
}
