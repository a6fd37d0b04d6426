/** What the marks of the cells mean; only of those marks that a cell on the page has. */
import type { Device, Node } from "../api/types";
import classes from "./nodes.module.css";

interface Entry {
  mark: "held" | "busy" | "virtual" | "unhealthy" | "mig";
  words: string;
  shown: (device: Device) => boolean;
}

const entries: Entry[] = [
  { mark: "held", words: "Held", shown: () => true },
  { mark: "busy", words: "Really used", shown: ({ busy_milli }) => busy_milli != null },
  { mark: "virtual", words: "Virtual, no hardware", shown: ({ virtual }) => virtual },
  { mark: "unhealthy", words: "Unhealthy, takes no work", shown: ({ healthy }) => !healthy },
  { mark: "mig", words: "Part of a GPU (MIG)", shown: ({ mig_profile }) => mig_profile != null },
];

export function GpuLegend({ nodes }: { nodes: readonly Node[] }) {
  const devices = nodes.flatMap((node) => node.devices);
  const legend = entries.filter(({ shown }) => devices.some(shown));
  if (legend.length === 0) return null;
  return (
    <ul className={classes.legend} aria-label="What the cells show">
      {legend.map(({ mark, words }) => (
        <li key={mark}>
          <span
            className={classes.cell}
            aria-hidden="true"
            data-virtual={mark === "virtual" || undefined}
            data-unhealthy={mark === "unhealthy" || undefined}
            data-mig={mark === "mig" || undefined}
          >
            {(mark === "held" || mark === "busy") && (
              <span className={classes.fill} style={{ height: "100%" }} />
            )}
            {mark === "busy" && <span className={classes.busy} style={{ height: "60%" }} />}
          </span>
          {words}
        </li>
      ))}
    </ul>
  );
}
