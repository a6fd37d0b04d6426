/** How good the expected starts were that waiting work was told in the last day. */
import type { Calibration } from "../api/types";
import { FailureState } from "../frame/FailureState";
import { Skeleton } from "../frame/PageState";
import { counted } from "../quantity/words";
import { durationInWords } from "../time/words";
import { useCalibration } from "./queries";
import { Section } from "./Section";
import classes from "./scheduler.module.css";
import { calibrationInWords, calibrationParts, waitedInWords } from "./words";

export function Calibrated() {
  const calibration = useCalibration();
  return (
    <Section title="Expected starts">
      {calibration.isPending && <Skeleton rows={2} label="Loading how good forecasts were" />}
      {calibration.error && !calibration.data && (
        <FailureState error={calibration.error} onRetry={() => calibration.refetch()} />
      )}
      {calibration.data && (
        <>
          <p className={classes.nothing}>{calibrationInWords(calibration.data)}</p>
          {calibration.data.started > 0 && <Parts given={calibration.data} />}
        </>
      )}
    </Section>
  );
}

function Parts({ given }: { given: Calibration }) {
  const parts = calibrationParts(given).filter(({ count }) => count > 0);
  return (
    <div className={classes.calibration}>
      <div className={classes.bar} aria-hidden>
        {parts.map(({ id, count }) => (
          <span key={id} data-part={id} style={{ flexGrow: count }} />
        ))}
      </div>
      <ul className={classes.parts}>
        {parts.map(({ id, name, count, note }) => (
          <li key={id}>
            <span className={classes.swatch} data-part={id} aria-hidden />
            {name} <strong>{count.toLocaleString("en")}</strong>
            {note && <span className={classes.quiet}> {note}</span>}
          </li>
        ))}
      </ul>
      <p className={classes.quiet}>
        {given.groups
          .map(
            ({ waited, started, inside }) =>
              `Of ${counted(started, "workload")} that waited ${waitedInWords(waited)}, ${Math.round((inside / started) * 100)} % started as told.`,
          )
          .join(" ")}{" "}
        The first forecast was {durationInWords(given.median_error_ms / 1000)} off at the median.
      </p>
    </div>
  );
}
