/** What helps, as the server says it. */
import { Fragment } from "react";
import classes from "./detail.module.css";
import { fieldsFound } from "./specFields";

/** With the fields of the spec as such. */
export function Remedy({ text }: { text: string }) {
  return (
    <p className={classes.remedy}>
      {fieldsFound(text).map(({ at, text: part, field }) =>
        field ? <code key={at}>{part}</code> : <Fragment key={at}>{part}</Fragment>,
      )}
    </p>
  );
}
