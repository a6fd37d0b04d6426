/** What was before and what is after, field by field; what stayed the same is folded away. */
import { counted } from "../quantity/words";
import classes from "./audit.module.css";
import { type Field, fieldsOf, type Part } from "./difference";

interface Props {
  before: unknown;
  after: unknown;
  zone: string;
}

export function Difference({ before, after, zone }: Props) {
  const fields = fieldsOf(before, after, zone);
  const changed = fields.filter(({ same }) => !same);
  const same = fields.filter((field) => field.same);
  // What is new has no side before it, and what was removed none after it.
  const sides = {
    before: changed.some((field) => field.before !== null),
    after: changed.some((field) => field.after !== null),
  };
  return (
    <>
      {changed.length === 0 && <p className={classes.quiet}>Nothing: it was so already.</p>}
      {changed.length > 0 && (
        <table className={classes.difference}>
          <thead>
            <tr>
              <th scope="col">Field</th>
              {sides.before && <th scope="col">{sides.after ? "Before" : "Removed"}</th>}
              {sides.after && <th scope="col">{sides.before ? "After" : "New"}</th>}
            </tr>
          </thead>
          <tbody>
            {changed.map((field) => (
              <Row key={field.name} field={field} sides={sides} />
            ))}
          </tbody>
        </table>
      )}
      {same.length > 0 && (
        <details className={classes.same}>
          <summary>{counted(same.length, "field")} stayed the same</summary>
          <dl className={classes.facts}>
            {same.map(({ name, after: value }) => (
              <div key={name}>
                <dt>{name || "Value"}</dt>
                <dd>{value?.map(({ text }) => text).join(", ")}</dd>
              </div>
            ))}
          </dl>
        </details>
      )}
    </>
  );
}

function Row({ field, sides }: { field: Field; sides: { before: boolean; after: boolean } }) {
  return (
    <tr>
      <th scope="row">{field.name || "Value"}</th>
      {sides.before && (
        <td data-side="before">
          <Parts parts={field.before} side="del" />
        </td>
      )}
      {sides.after && (
        <td data-side="after">
          <Parts parts={field.after} side="ins" />
        </td>
      )}
    </tr>
  );
}

function Parts({ parts, side: Side }: { parts: Part[] | null; side: "del" | "ins" }) {
  if (parts === null) return <span className={classes.quiet}>none</span>;
  return parts.map(({ text, marked }) => {
    const Mark = marked ? Side : "span";
    return (
      <Mark key={text} className={classes.value}>
        {text}
      </Mark>
    );
  });
}
