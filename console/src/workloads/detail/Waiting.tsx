/** Why it does not run: since when, its place in the queue, what would help, and the facts. */
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { answered, api } from "../../api/client";
import type { Eta, Refusal, WorkloadDetail } from "../../api/types";
import { Holders } from "../../foresight/Holders";
import { NodeBars } from "../../foresight/NodeBars";
import { placeInWords } from "../../foresight/words";
import { milliInWords } from "../../quantity/words";
import { useClock } from "../../time/clock";
import { Duration, Moment } from "../../time/Times";
import { askedInWords } from "../asked";
import { beside } from "../filters";
import { isInProgress } from "../progress";
import { useExplanation, useKnownName, workloadKeys } from "../queries";
import { shownState } from "../state";
import classes from "./detail.module.css";
import type { Asked } from "./dialogs";
import { factsOf, holdersOf } from "./evidence";
import { useMayChange, useMaySubmit } from "./may";
import { Offered } from "./Offered";
import { Remedy } from "./Remedy";

const HOLDERS_SHOWN = 8;

interface Props {
  workload: WorkloadDetail;
  refusal: Refusal;
  onAsk: (asked: Asked) => void;
}

export function Waiting({ workload, refusal, onAsk }: Props) {
  const { data } = useExplanation(workload.id, true);
  const evidence = refusal.evidence ?? [];
  const told = data?.looked_at ? data : undefined;
  const groups = told?.groups ?? [];
  const changes = told?.changes ?? [];
  const heldBy = told?.holders ?? [];
  // What is drawn below with more about it is not told twice.
  const facts = groups.length > 0 ? [] : factsOf(evidence);
  const holders = heldBy.length > 0 ? [] : holdersOf(evidence);
  const needs = refusal.reason === "dependency" ? (workload.depends_on ?? []) : [];
  return (
    <section className={classes.waiting} aria-label="Why it waits">
      {/* Of what waits as a whole, the sentence above says this already. */}
      {isInProgress(workload) && <p className={classes.reason}>{refusal.message}</p>}
      {workload.eta && <Expected eta={workload.eta} />}
      {refusal.remedy && changes.length === 0 && <Remedy text={refusal.remedy} />}
      <dl className={classes.evidence}>
        <Fact name="Waiting for this">
          <Duration start={refusal.since} />
        </Fact>
        {told?.position && (
          <Fact name="Place in the queue">
            <Link to="/queue" className={classes.plainLink}>
              {placeInWords(told.position)}
            </Link>
            {told.position.overall === 1 && " (next)"}
          </Fact>
        )}
        {told?.kept && (
          <Fact name="Nodes kept for it">
            {told.kept_from ? (
              <>
                yes, it is expected to fit at <Moment at={told.kept_from} />
              </>
            ) : (
              "yes"
            )}
          </Fact>
        )}
        {!told && data?.queue_position != null && (
          <Fact name="Place in the queue">
            <Link to="/queue" className={classes.plainLink}>
              {data.queue_position}
              {data.queue_length != null && ` of ${data.queue_length}`}
            </Link>
            {data.queue_position === 1 && " (next)"}
          </Fact>
        )}
        {facts.map(({ name, value, node }) => (
          <Fact key={`${name} ${node ?? ""}`} name={name}>
            {value}
            {node && (
              <>
                {" on "}
                <Link to="/nodes/$name" params={{ name: node }} className={classes.plainLink}>
                  {node}
                </Link>
              </>
            )}
          </Fact>
        ))}
        {holders.length > 0 && (
          <Fact name={refusal.reason === "priority" ? "Ahead of it" : "Used by"}>
            <Others ids={holders} own={workload.id} />
          </Fact>
        )}
        {needs.length > 0 && (
          <Fact name="Waits for">
            <Others ids={needs} own={workload.id} />
          </Fact>
        )}
      </dl>
      {groups.length > 0 && <NodeBars groups={groups} />}
      {heldBy.length > 0 && <Holders holders={heldBy} inAll={told?.holders_in_all ?? 0} />}
      {changes.length > 0 && <Offered workload={workload} changes={changes} />}
      <NextSteps
        workload={workload}
        refusal={refusal}
        offered={changes.some(({ how }) => how === "resubmit")}
        onAsk={onAsk}
      />
    </section>
  );
}

const SOON_MS = 60_000;

/** What is past of the range is not told: it has not started yet. */
function Expected({ eta }: { eta: Eta }) {
  const late = Date.parse(eta.late);
  const soon = useClock((now) => Number(late - now < SOON_MS)) === 1;
  const begun = useClock((now) => Number(Date.parse(eta.early) <= now)) === 1;
  if (soon) return <p className={classes.reason}>Expected to start soon.</p>;
  return (
    <p className={classes.reason}>
      {"Expected to start "}
      {!begun && (
        <>
          {"between "}
          <Moment at={eta.early} />
          {" and "}
        </>
      )}
      {begun && "by "}
      <Moment at={eta.late} />.
    </p>
  );
}

function Others({ ids, own }: { ids: readonly string[]; own: string }) {
  return (
    <ul className={classes.holders}>
      {ids.slice(0, HOLDERS_SHOWN).map((id) => (
        <li key={id}>{id === own ? "Tasks of its own" : <Other id={id} />}</li>
      ))}
      {ids.length > HOLDERS_SHOWN && <li>{ids.length - HOLDERS_SHOWN} more</li>}
    </ul>
  );
}

/** By name, with what it is doing; an id says little to a reader. */
function Other({ id }: { id: string }) {
  const known = useKnownName(id);
  const { data } = useQuery({
    queryKey: workloadKeys.detail(id),
    queryFn: ({ signal }) =>
      answered(api.GET("/api/v1/workloads/{ref}", { params: { path: { ref: id } }, signal })),
    staleTime: 60_000,
    retry: false,
  });
  const name = data?.name ?? known;
  return (
    <>
      <Link to="/workloads/$id" params={{ id }} search={beside} title={id}>
        {name ?? <code>{id}</code>}
      </Link>
      {data && (
        <span className={classes.holderNote}>
          {" "}
          {data.owner} · {heldInWords(data)} · {shownState(data.state).label.toLowerCase()}
          {data.started_at && !data.ended_at && (
            <>
              {" for "}
              <Duration start={data.started_at} />
            </>
          )}
        </span>
      )}
    </>
  );
}

/** 4 × H100: of all its replicas together. */
function heldInWords(workload: WorkloadDetail): string {
  const { resources, gpu_milli, groups } = workload;
  if (!gpu_milli) return askedInWords(workload);
  const each = groups?.length ? groups.map((group) => group.resources) : [resources];
  const types = new Set(each.filter((one) => one.gpu_milli > 0).map(typeOf));
  const type = types.size === 1 ? [...types][0] : "GPU";
  return `${milliInWords(gpu_milli)} × ${type}`;
}

function typeOf({ gpu_types }: WorkloadDetail["resources"]): string {
  return gpu_types?.length === 1 ? (gpu_types[0] ?? "GPU") : "GPU";
}

const inUse = ["capacity", "priority", "fragmentation", "reservation", "quota", "topology"];
const machines = ["no_nodes", "unhealthy_nodes", "impossible_type", "impossible_size", "policy"];

/** What the person can do about it, where there is something. */
function NextSteps({
  workload,
  refusal: { reason },
  offered,
  onAsk,
}: Props & { offered: boolean }) {
  const mayChange = useMayChange(workload);
  const maySubmit = useMaySubmit(workload);
  const crowded = inUse.includes(reason);
  const machine = machines.includes(reason);
  if (!crowded && !machine) return null;
  const fewer = workload.resources.gpu_milli >= 2000 || workload.replicas.total > 1;
  return (
    <div className={classes.steps}>
      {crowded && mayChange && workload.priority < 100 && (
        <Button variant="default" onClick={() => onAsk("priority")}>
          Change priority
        </Button>
      )}
      {maySubmit && (
        <Button
          variant="default"
          component={Link}
          to="/submit"
          search={{ from: workload.id } as never}
        >
          {crowded && fewer && !offered ? "Clone with fewer GPUs" : "Clone with other resources"}
        </Button>
      )}
      <Button variant="default" component={Link} to={crowded ? "/queue" : "/nodes"}>
        {crowded ? "See the queue" : "See the nodes"}
      </Button>
    </div>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}
