/** Chooses a range of time: a few usual ones, or what was selected in a chart. */
import { CloseIcon } from "../frame/icons";
import { useTimeZone } from "../time/zone";
import classes from "./charts.module.css";
import { type RangeSearch, type Span, spans } from "./range";
import { timeShort } from "./scale";

interface Props {
  value: RangeSearch;
  /** Gets what to put in the address; empty is the usual range. */
  onChange: (range: RangeSearch) => void;
  /** The one that is on while the address says none. */
  usual?: Span;
  choices?: readonly Span[];
}

const everyChoice = Object.keys(spans) as Span[];

export function RangePicker({ value, onChange, usual = "24h", choices = everyChoice }: Props) {
  const zone = useTimeZone();
  const { from, to } = value;
  const drawn = from !== undefined && to !== undefined;
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset would bring its own box.
    <div role="group" aria-label="Range of time" className={classes.range}>
      {drawn && (
        <button
          type="button"
          className={classes.drawn}
          onClick={() => onChange({})}
          title="Back to the usual range"
        >
          {timeShort(Date.parse(from), zone)} – {timeShort(Date.parse(to), zone)}
          <CloseIcon />
        </button>
      )}
      {choices.map((span) => (
        <button
          key={span}
          type="button"
          className={classes.span}
          aria-pressed={!drawn && (value.range ?? usual) === span}
          onClick={() => onChange(span === usual ? {} : { range: span })}
        >
          {spans[span].label}
        </button>
      ))}
    </div>
  );
}
