/** The cluster's GPUs: held, really used, idle and free, over all and by type; and its nodes. */
import type { Overview } from "../api/types";
import { milliInWords } from "../quantity/words";
import { Figure } from "./Figure";
import { GpuTypeRow } from "./GpuTypeRow";
import { NodesLink, WorkloadsLink } from "./links";
import { NodesLine } from "./NodesLine";
import classes from "./overview.module.css";
import { Blanks, Nothing, Panel } from "./Panel";
import { exactGpus, gpuSums, percentOf, typesInOrder } from "./sums";

const MEASURED_BY = "The part of held GPUs that was busy when last measured.";

export function Gpus({ overview }: { overview: Overview | undefined }) {
  const types = overview && typesInOrder(overview.gpus);
  const sums = types && gpuSums(types);
  const busy = sums?.busyMilli ?? null;
  return (
    <Panel area="gpus" title="GPUs" aside={<NodesLine nodes={overview?.nodes} />}>
      <dl className={classes.figures}>
        <Figure
          label="Held"
          value={sums && milliInWords(sums.heldMilli)}
          unit={sums && `of ${sums.devices.toLocaleString("en")}`}
          note={sums && `${percentOf(sums.heldMilli, sums.devices * 1000)} %`}
          exact={sums && `${exactGpus(sums.heldMilli)} of ${sums.devices} GPUs are allocated.`}
          link={(number) => (
            <WorkloadsLink plain to={{ state: ["running"] }}>
              {number}
            </WorkloadsLink>
          )}
        />
        <Figure
          label="Really used"
          value={sums && (busy === null ? "–" : milliInWords(busy))}
          note={
            sums &&
            (busy === null ? "not measured" : `${percentOf(busy, sums.heldMilli)} % of held`)
          }
          exact={
            busy === null ? "No node measures its GPUs." : `${exactGpus(busy)} GPUs. ${MEASURED_BY}`
          }
          link={(number) => (
            <NodesLink plain to={{}}>
              {number}
            </NodesLink>
          )}
        />
        <Figure
          label="Held, idle"
          value={sums?.idleDevices.toLocaleString("en")}
          exact="Held devices that did next to nothing when last measured."
          link={(number) => (
            <NodesLink plain to={{ show: "idle" }}>
              {number}
            </NodesLink>
          )}
        />
        <Figure
          label="Free"
          value={sums && milliInWords(sums.freeMilli)}
          note={sums && `${percentOf(sums.freeMilli, sums.devices * 1000)} %`}
          exact={sums && `${exactGpus(sums.freeMilli)} GPUs could be given out now.`}
          link={(number) => (
            <NodesLink plain to={{ show: "free" }}>
              {number}
            </NodesLink>
          )}
        />
      </dl>
      {!types && <Blanks rows={3} label="GPUs" />}
      {types?.length === 0 && (
        <Nothing>
          No GPU is here yet. Start a server on a machine with GPUs, or try with{" "}
          <code>podium up --virtual-gpus 8</code>.
        </Nothing>
      )}
      {types && types.length > 0 && (
        <table className={classes.types}>
          <thead>
            <tr>
              <th scope="col">Type</th>
              <th scope="col">
                <BarLegend />
              </th>
              <th scope="col">GPUs</th>
              <th scope="col">Held</th>
              <th scope="col">Used</th>
              <th scope="col">
                <abbr title="Held devices that do next to nothing">Idle</abbr>
              </th>
              <th scope="col">Free</th>
            </tr>
          </thead>
          <tbody>
            {types.map((type) => (
              <GpuTypeRow key={`${type.type} ${type.virtual}`} gpus={type} />
            ))}
          </tbody>
        </table>
      )}
    </Panel>
  );
}

function BarLegend() {
  return (
    <span className={classes.barLegend}>
      {[
        ["busy", "used"],
        ["held", "held"],
        ["idle", "idle"],
        ["free", "free"],
      ].map(([part, word]) => (
        <span key={part}>
          <span aria-hidden className={classes.key} data-part={part} />
          {word}
        </span>
      ))}
    </span>
  );
}
