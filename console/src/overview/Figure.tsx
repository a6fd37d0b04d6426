/** A number that moves a little when it changes, with its unit, and exact on hover. */
import { type ReactNode, useEffect, useRef, useState } from "react";
import classes from "./overview.module.css";

interface TickingProps {
  text: string;
}

/** The first sight is no change. */
export function Ticking({ text }: TickingProps) {
  const seen = useRef(text);
  const [changes, setChanges] = useState(0);
  useEffect(() => {
    if (seen.current === text) return;
    seen.current = text;
    setChanges((count) => count + 1);
  }, [text]);
  return (
    <span key={changes} className={classes.ticking} data-moved={changes > 0 || undefined}>
      {text}
    </span>
  );
}

interface Props {
  label: ReactNode;
  /** undefined while it loads. */
  value: string | undefined;
  /** What follows the number: "of 32", "GPUs". */
  unit?: string | undefined;
  note?: ReactNode;
  exact?: string | undefined;
  /** Turns the number into a link to its list. */
  link?: ((children: ReactNode) => ReactNode) | undefined;
}

export function Figure({ label, value, unit, note, exact, link }: Props) {
  const number = (
    <span className={classes.figureNumber}>
      {value === undefined ? <span className={classes.blank} /> : <Ticking text={value} />}
      {unit && <span className={classes.figureUnit}> {unit}</span>}
    </span>
  );
  return (
    <div className={classes.figure} title={exact}>
      <dt className={classes.figureLabel}>{label}</dt>
      <dd className={classes.figureValue}>
        {link && value !== undefined ? link(number) : number}
        {note && <span className={classes.figureNote}>{note}</span>}
      </dd>
    </div>
  );
}
