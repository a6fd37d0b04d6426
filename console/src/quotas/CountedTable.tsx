/** CPU, memory, MIG slices, workspaces and storage: what each holds against its limit. */
import type { CSSProperties } from "react";
import type { Counted } from "../api/types";
import { bytesInWords, milliInWords } from "../quantity/words";
import { useShares } from "../queue/queries";
import { counted } from "../queue/quotaForm";
import { Section } from "../queue/Section";
import type { Share } from "../queue/shares";
import classes from "./quotas.module.css";

const names = Object.keys(counted) as Counted[];

export function CountedTable({ project }: { project: string | undefined }) {
  const { data } = useShares();
  if (!data) return null;
  const rows = data.items.filter(
    ({ level, name, counted: held = [] }) =>
      level === "organisation" ||
      (project ? level === "project" && name === project : held.some(isTold)),
  );
  return (
    <Section title="Beside GPUs">
      {rows.every((share) => (share.counted ?? []).every(({ limit }) => limit === null)) && (
        <p className={classes.note}>
          Nothing of it is limited. <b>Change</b> above sets limits;{" "}
          <code>podium quota set team NAME --cpus 64 --workspaces 4</code> does, too.
        </p>
      )}
      <table className={classes.table} aria-label="Held against limits, beside GPUs">
        <thead>
          <tr>
            <th scope="col">Who</th>
            {names.map((name) => (
              <th key={name} scope="col">
                {counted[name].label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((share) => (
            <tr key={`${share.level} ${share.name}`}>
              <th scope="row" style={{ "--indent": depth[share.level] } as CSSProperties}>
                {share.level === "organisation" ? "Whole organisation" : share.name}
              </th>
              {names.map((name) => (
                <Cell key={name} share={share} name={name} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </Section>
  );
}

const depth = { organisation: "24px", team: "44px", project: "64px" };

function isTold({ used, limit }: NonNullable<Share["counted"]>[number]): boolean {
  return used > 0 || limit !== null;
}

function Cell({ share, name }: { share: Share; name: Counted }) {
  const found = share.counted?.find((each) => each.counted === name);
  const { used = 0, limit = null } = found ?? {};
  const said = `${countedInWords(name, used)}${limit === null ? "" : ` of ${countedInWords(name, limit)}`}`;
  return (
    <td data-label={counted[name].label} data-none={(used === 0 && limit === null) || undefined}>
      {said}
      {limit !== null && (
        // biome-ignore lint/a11y/useSemanticElements: a meter looks another way in each browser.
        <span
          className={classes.meter}
          role="meter"
          aria-label={`${counted[name].label} of ${share.name}`}
          aria-valuemin={0}
          aria-valuemax={limit}
          aria-valuenow={Math.min(used, limit)}
          aria-valuetext={said}
        >
          <span
            data-full={used >= limit || undefined}
            style={{ width: `${limit === 0 ? 100 : Math.min(100, (used / limit) * 100)}%` }}
          />
        </span>
      )}
    </td>
  );
}

export function countedInWords(name: Counted, value: number): string {
  if (name === "cpu_milli") return milliInWords(value);
  if (name === "memory_bytes" || name === "storage_bytes") return bytesInWords(value);
  return value.toLocaleString("en");
}
