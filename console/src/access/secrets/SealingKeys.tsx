/** The keys that seal all secrets, and a new one in their place. For administrators. */
import { Button } from "@mantine/core";
import { useState } from "react";
import type { SealingKeys as Keys } from "../../api/types";
import { PageState } from "../../frame/PageState";
import { counted } from "../../quantity/words";
import { RelativeTime } from "../../time/Times";
import { Ask } from "../Ask";
import classes from "../access.module.css";
import { Part } from "../Part";
import { useKeysRotate, useSealingKeys } from "./queries";

export function SealingKeys() {
  const keys = useSealingKeys();
  const rotate = useKeysRotate();
  const [asking, setAsking] = useState(false);
  if (!keys.data) return <PageState query={keys} what="sealing keys" rows={2} />;
  const { place, writable } = keys.data;
  return (
    <Part
      title="Keys of all secrets"
      top
      sentence={<Sentence keys={keys.data} />}
      aside={
        <Button
          variant="default"
          disabled={!writable}
          title={writable ? "Seals everything anew with a new key" : `${place} cannot be written`}
          onClick={() => setAsking(true)}
        >
          Rotate keys
        </Button>
      }
    >
      <table className={classes.table} aria-label="Sealing keys">
        <thead>
          <tr>
            <th scope="col">Key</th>
            <th scope="col">What it does</th>
            <th scope="col">Secrets</th>
          </tr>
        </thead>
        <tbody>
          {keys.data.keys.map(({ id, here, seals, secrets }) => (
            <tr key={id}>
              <th scope="row">
                <code>{id}</code>
              </th>
              <td>
                {seals ? "Seals what is set now" : "Opens what it sealed"}
                {!here && <span className={classes.mark}>Not on this server</span>}
              </td>
              <td data-number>{secrets.toLocaleString("en")}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {asking && (
        <Ask
          title="Rotate the keys of all secrets"
          does="Rotate keys"
          change={rotate}
          onClose={() => setAsking(false)}
        >
          <p>
            A new key is made and seals from now on. All secrets are sealed anew in the background,
            and the old key is removed once it seals nothing. Nothing has to be set again.
          </p>
        </Ask>
      )}
    </Part>
  );
}

function Sentence({ keys: { since, set_by, left, locked, place } }: { keys: Keys }) {
  return (
    <>
      Kept in {place}.{" "}
      {since && (
        <>
          The one that seals does so since <RelativeTime at={since} />
          {set_by && `, by ${set_by}`}.{" "}
        </>
      )}
      {left > 0 && `${counted(left, "secret")} yet to be sealed with it. `}
      {locked > 0 && `${counted(locked, "secret")} no key here opens.`}
    </>
  );
}
