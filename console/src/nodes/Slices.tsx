/** A GPU in MIG mode: its slices with who is in them, and beside them how warm and busy it is. */
import type { Device } from "../api/types";
import { SliceBar } from "./SliceBar";
import classes from "./slices.module.css";

export function Slices({ device }: { device: Device }) {
  const { busy_milli: busy, temperature_celsius: celsius } = device;
  return (
    <div className={classes.slices}>
      <div className={classes.beside}>
        <SliceBar
          label={`MIG instances of GPU ${device.index}`}
          total={device.memory_slices ?? 0}
          slices={device.slices ?? []}
        />
        {(busy != null || celsius != null) && (
          <dl className={classes.vitals}>
            {celsius != null && (
              <div>
                <dt>Temperature</dt>
                <dd>{celsius} °C</dd>
              </div>
            )}
            {busy != null && (
              <div>
                <dt>Really used</dt>
                <dd>
                  {Math.round(busy / 10)} %<span aria-hidden> used</span>
                </dd>
              </div>
            )}
          </dl>
        )}
      </div>
      {device.pinned && <p className={classes.quiet}>Pinned: only these instances get work.</p>}
      {device.drift_at && (
        <p className={classes.drift}>
          Changed outside of Podium at {new Date(device.drift_at).toLocaleString()}: {device.drift}
        </p>
      )}
    </div>
  );
}
