/** What health depends on, each with its own sign and sentence. */
import type { Health } from "../api/types";
import { CheckIcon, WarningIcon } from "../frame/icons";
import { RelativeTime } from "../time/Times";
import classes from "./about.module.css";

export function Checks({ health, atMs }: { health: Health; atMs: number }) {
  const failed = (health.checks ?? []).filter(({ ok }) => !ok).length;
  return (
    <>
      <p className={classes.sentence} role="status">
        {health.ok && failed === 0
          ? "All is well."
          : `${failed === 1 ? "One check fails" : `${failed} checks fail`}: new work may not start until it is mended.`}{" "}
        <span className={classes.checked}>
          Checked <RelativeTime at={new Date(atMs).toISOString()} />.
        </span>
      </p>
      <ul className={classes.checks}>
        {gathered(health.checks ?? []).map(({ name, ok, detail }) => (
          <li key={name} data-ok={ok}>
            {ok ? <CheckIcon /> : <WarningIcon />}
            <span className={classes.name}>{name.replaceAll("_", " ")}</span>
            <span className={classes.detail}>{detail || (ok ? "as it should be" : "fails")}</span>
          </li>
        ))}
      </ul>
    </>
  );
}

type Check = NonNullable<Health["checks"]>[number];

const LOOP = /^loop[ _:]/;

/** The loops that run as they should are one line; one that does not stands for itself. */
export function gathered(checks: readonly Check[]): Check[] {
  const well = checks.filter(({ name, ok, detail }) => LOOP.test(name) && ok && !detail);
  const rest = checks.filter((each) => !well.includes(each));
  if (well.length === 0) return rest;
  const names = well.map(({ name }) => name.replace(LOOP, "")).join(", ");
  return [...rest, { name: "loops", ok: true, detail: `${names}: all go round` }];
}
