/** Adds a receiver of the audit trail, or changes one, which goes on where it was. */
import { Button, Checkbox, NativeSelect, PasswordInput, Textarea, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { faultAt } from "../../api/problem";
import type { AuditForward } from "../../api/types";
import { Copyable } from "../../frame/Copyable";
import { Dialog, DialogActions, DialogFailure, dialogBody } from "../../frame/Dialog";
import { addressJoin, addressSplit, isChecked, isWebhook, type Way, ways } from "./address";
import classes from "./forwarding.module.css";
import { useForwardSet } from "./queries";

interface Props {
  /** The one that is changed; a new one is made without it. */
  forward?: AuditForward;
  onDone: (name: string) => void;
  onClose: () => void;
}

export function ForwardForm({ forward, onDone, onClose }: Props) {
  const save = useForwardSet();
  const [firstWay = "tls", firstRest] = addressSplit(forward?.address ?? "");
  const [name, setName] = useState(forward?.name ?? "");
  const [way, setWay] = useState<Way>(firstWay);
  const [rest, setRest] = useState(forward ? firstRest : "");
  const [secret, setSecret] = useState("");
  const [made, setMade] = useState(false);
  const [ca, setCa] = useState("");
  const [drops, setDrops] = useState({ secret: false, ca: false });
  const [fromStart, setFromStart] = useState(false);
  const [faults, setFaults] = useState<{ name?: string; address?: string }>({});
  const signed = forward?.signed ?? false;
  const ownCa = forward?.own_ca ?? false;

  function typed(address: string) {
    const [found, kept] = addressSplit(address);
    if (found) setWay(found);
    setRest(found ? kept : address);
  }

  function submit(event: FormEvent) {
    event.preventDefault();
    const found = {
      ...(!name.trim() && { name: "Write a short name, like siem." }),
      ...(!rest.trim() && { address: `Write where to, such as ${ways[way].hint}.` }),
    };
    setFaults(found);
    if (Object.keys(found).length > 0) return;
    // What no way of sending could use any more goes with the change.
    const noSecret = drops.secret || (signed && !isWebhook(way));
    const noCa = drops.ca || (ownCa && !isChecked(way));
    save.mutate(
      {
        name: name.trim(),
        address: addressJoin(way, rest),
        ...(noSecret ? { secret: "" } : isWebhook(way) && secret && { secret }),
        ...(noCa ? { ca: "" } : isChecked(way) && ca.trim() && { ca }),
        ...(!forward && { from_start: fromStart }),
      },
      { onSuccess: () => onDone(name.trim()) },
    );
  }

  const faultOf = (field: "name" | "address" | "secret" | "ca") =>
    (field in faults && faults[field as "name" | "address"]) || faultAt(save.error, field);
  const placed = (["name", "address", "secret", "ca"] as const).some(faultOf);
  return (
    <Dialog
      title={forward ? `Change ${forward.name}` : "Forward the trail"}
      onClose={onClose}
      size={520}
    >
      <form className={dialogBody} onSubmit={submit} noValidate autoComplete="off">
        {!forward && (
          <TextInput
            label="Name"
            placeholder="siem"
            autoCapitalize="none"
            spellCheck={false}
            maxLength={63}
            data-autofocus
            value={name}
            error={faultOf("name")}
            onChange={(event) => setName(event.currentTarget.value)}
          />
        )}
        <NativeSelect
          label="How"
          description={ways[way].about}
          data={(Object.keys(ways) as Way[])
            .filter((each) => each !== "http" || way === "http")
            .map((value) => ({ value, label: ways[value].label }))}
          value={way}
          onChange={(event) => setWay(event.currentTarget.value as Way)}
        />
        <TextInput
          label={ways[way].field}
          placeholder={ways[way].hint}
          inputMode="url"
          autoCapitalize="none"
          spellCheck={false}
          maxLength={2000}
          leftSection={<span className={classes.scheme}>{way}://</span>}
          leftSectionWidth={24 + 7.5 * (way.length + 3)}
          value={rest}
          error={faultOf("address")}
          onChange={(event) => typed(event.currentTarget.value)}
        />
        {isWebhook(way) && (
          <div className={classes.secret}>
            <PasswordInput
              label="Secret"
              description={
                signed
                  ? "One is set. Leave this empty to keep it."
                  : "Signs each batch, so that the receiver knows it comes from here. At least 16 characters; empty for none."
              }
              autoComplete="new-password"
              visibilityToggleButtonProps={{
                "aria-label": "Show or hide the secret",
                c: "var(--ink-3)",
              }}
              maxLength={1000}
              disabled={drops.secret}
              value={secret}
              error={faultOf("secret")}
              onChange={(event) => {
                setSecret(event.currentTarget.value);
                setMade(false);
              }}
            />
            <span className={classes.secretEnd}>
              <Button
                variant="default"
                size="compact-xs"
                disabled={drops.secret}
                onClick={() => {
                  setSecret(secretMade());
                  setMade(true);
                }}
              >
                Make one
              </Button>
              {signed && (
                <Checkbox
                  size="xs"
                  label="Sign no longer"
                  checked={drops.secret}
                  onChange={(event) => setDrops({ ...drops, secret: event.currentTarget.checked })}
                />
              )}
            </span>
            {made && (
              <p className={classes.note}>
                Give it to the receiver now; it is not shown again: <Copyable text={secret} block />
              </p>
            )}
          </div>
        )}
        {isChecked(way) && (
          <div className={classes.secret}>
            <Textarea
              label="Certificates to trust"
              description={
                ownCa
                  ? "Some are set. Leave this empty to keep them."
                  : "Only where the receiver has an authority of its own; as PEM."
              }
              placeholder="-----BEGIN CERTIFICATE-----"
              rows={3}
              spellCheck={false}
              styles={{ input: { fontFamily: "var(--mono)", fontSize: 12 } }}
              disabled={drops.ca}
              value={ca}
              error={faultOf("ca")}
              onChange={(event) => setCa(event.currentTarget.value)}
            />
            {ownCa && (
              <Checkbox
                size="xs"
                label="Trust those of the server's machine again"
                checked={drops.ca}
                onChange={(event) => setDrops({ ...drops, ca: event.currentTarget.checked })}
              />
            )}
          </div>
        )}
        {!forward && (
          <Checkbox
            size="xs"
            label="Send all of the trail, not only what comes from now on"
            checked={fromStart}
            onChange={(event) => setFromStart(event.currentTarget.checked)}
          />
        )}
        {save.error && !placed && <DialogFailure>{save.error.message}</DialogFailure>}
        <DialogActions>
          <Button variant="default" onClick={onClose}>
            Leave it
          </Button>
          <Button type="submit" loading={save.isPending}>
            {forward ? "Save" : "Forward"}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

/** 256 bits, as text that survives any field that it is pasted into. */
function secretMade(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  return [...bytes].map((each) => each.toString(16).padStart(2, "0")).join("");
}
