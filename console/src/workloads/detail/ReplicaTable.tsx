/** Where each replica runs or ran, and how it ended. */
import type { Replica, WorkloadDetail } from "../../api/types";
import { counted, milliInWords } from "../../quantity/words";
import { Duration } from "../../time/Times";
import { StateBadge } from "../StateIcon";
import classes from "./detail.module.css";

export function ReplicaTable({ workload }: { workload: WorkloadDetail }) {
  const replicas = workload.replica_list;
  const withDevices = replicas.some(({ devices }) => devices && devices.length > 0);
  const unlisted = workload.replicas.total - replicas.length;
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keys. */}
      <section className={classes.sideways} tabIndex={0} aria-label="Replicas">
        <table className={classes.replicas}>
          <thead>
            <tr>
              <th scope="col">Rank</th>
              <th scope="col">State</th>
              <th scope="col">Node</th>
              {withDevices && <th scope="col">Devices</th>}
              <th scope="col">Ran for</th>
              <th scope="col">End</th>
            </tr>
          </thead>
          <tbody>
            {replicas.map((replica) => (
              <tr key={replica.rank}>
                <td data-column="rank">{replica.rank}</td>
                <td data-column="state">
                  <StateBadge state={replica.state} />
                </td>
                <td data-column="node">{replica.node ?? ""}</td>
                {withDevices && (
                  <td
                    data-column="devices"
                    title={(replica.devices ?? []).map((device) => device.uuid).join("\n")}
                  >
                    {devicesInWords(replica)}
                  </td>
                )}
                <td data-column="time">
                  {replica.started_at && (
                    <Duration start={replica.started_at} end={replica.ended_at} />
                  )}
                </td>
                <td data-column="end" title={replica.message}>
                  {endInWords(replica)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {unlisted > 0 && (
        <p className={classes.note}>{counted(unlisted, "more replica")} not shown.</p>
      )}
    </>
  );
}

/** H100 0, 1 (virtual); a share is said as its part of a device. */
export function devicesInWords({ devices = [] }: Pick<Replica, "devices">): string {
  const byType = new Map<string, string[]>();
  for (const device of devices) {
    const share = device.gpu_milli < 1000 ? ` (${milliInWords(device.gpu_milli)})` : "";
    const type = device.virtual ? `Virtual ${device.type}` : device.type;
    byType.set(type, [...(byType.get(type) ?? []), `${device.index}${share}`]);
  }
  return [...byType].map(([type, indexes]) => `${type} ${indexes.join(", ")}`).join("; ");
}

export function endInWords({ exit_code, signal, message }: Replica): string {
  if (signal != null) return `Signal ${signal}`;
  if (exit_code != null) return `Exit ${exit_code}`;
  return message ?? "";
}
