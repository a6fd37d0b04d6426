/** What an entry was done to, as a link to it where the console has a page for it. */
import { Link } from "@tanstack/react-router";
import type { AuditEntry } from "../api/types";
import { anyProject } from "../projects/scope";
import classes from "./audit.module.css";
import { thingOf } from "./thing";

export function ThingLink({ entry }: { entry: AuditEntry }) {
  const { subject, outcome, detail } = entry;
  const thing = thingOf(entry);
  // What was refused names the path that was asked for.
  if (!thing) return outcome === "refused" ? <code>{subject}</code> : subject;
  const name = typeof detail.name === "string" && detail.name !== subject ? detail.name : "";
  return (
    <Link
      to={thing.to as never}
      params={thing.params as never}
      search={anyProject as never}
      className={classes.plainLink}
    >
      {name && `${name} `}
      {thing.code ? <code>{subject}</code> : subject}
    </Link>
  );
}
