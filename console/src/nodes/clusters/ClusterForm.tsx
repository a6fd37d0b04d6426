/** Adds a cluster, or changes one. How it is reached is tried before it is kept. */
import { Button, SegmentedControl, TagsInput, Textarea, TextInput } from "@mantine/core";
import { type FormEvent, useEffect, useId, useRef, useState } from "react";
import { faultAt } from "../../api/problem";
import type { Cluster, ClusterAccess, ClusterChange, ClusterCheck } from "../../api/types";
import { Dialog, DialogActions, DialogFailure, dialogBody } from "../../frame/Dialog";
import { CheckIcon, WarningIcon } from "../../frame/icons";
import { counted } from "../../quantity/words";
import classes from "./clusters.module.css";
import { useClusterAdd, useClusterCheck, useClusterSet } from "./queries";
import {
  accessOf,
  type ClusterDraft,
  type DraftFaults,
  draftOf,
  faultsOf,
  labelsOf,
  versionInWords,
} from "./words";

const ways = [
  { value: "kubeconfig", label: "By a kubeconfig" },
  { value: "inside", label: "From inside" },
];
const fields = [
  "name",
  "kubeconfig",
  "context",
  "in_cluster",
  "region",
  "labels",
  "image",
  "groups_prefix",
];

interface Props {
  /** The one that is changed; a new one is added without it. */
  cluster?: Cluster;
  onClose: () => void;
}

export function ClusterForm({ cluster, onClose }: Props) {
  const add = useClusterAdd();
  const set = useClusterSet(cluster?.name ?? "");
  const check = useClusterCheck();
  const [draft, setDraft] = useState<ClusterDraft>(() => draftOf(cluster));
  const [faults, setFaults] = useState<DraftFaults>({});
  const [checked, setChecked] = useState<ClusterCheck | null>(null);
  const wayId = useId();
  const save = cluster ? set : add;
  const saved = cluster?.in_cluster ? "inside" : "kubeconfig";
  // What was not typed anew is as it was, and need not be tried.
  const reached = cluster && draft.way === saved && !draft.kubeconfig.trim();

  function change(next: Partial<ClusterDraft>) {
    setDraft({ ...draft, ...next });
    if ("way" in next || "kubeconfig" in next || "context" in next) {
      setChecked(null);
      check.reset();
    }
    save.reset();
  }

  function isSound(): boolean {
    const found = faultsOf(draft, cluster);
    setFaults(found);
    return Object.keys(found).length === 0;
  }

  async function tried(): Promise<ClusterCheck | null> {
    const access = accessOf(draft);
    if (!access) return null;
    try {
      const found = await check.mutateAsync(access);
      setChecked(found);
      return found;
    } catch {
      return null; // told by the mutation
    }
  }

  async function submit(event: FormEvent) {
    event.preventDefault();
    if (!isSound()) return;
    if (!reached && checked === null) {
      const found = await tried();
      if (!found?.ok) return;
    }
    const rest = {
      region: draft.region.trim(),
      labels: labelsOf(draft),
      image: draft.image,
      groups_prefix: draft.groupsPrefix,
    };
    const access = reached ? undefined : accessOf(draft);
    if (cluster) {
      set.mutate({ ...rest, ...(access && changeOf(access)) }, { onSuccess: onClose });
    } else {
      const name = draft.name.trim();
      add.mutate(
        { context: "", in_cluster: false, ...access, ...rest, name },
        { onSuccess: onClose },
      );
    }
  }

  const faultOf = (field: string) =>
    faults[field as keyof DraftFaults] ?? faultAt(save.error, field) ?? faultAt(check.error, field);
  const error = save.error ?? check.error;
  const placed = fields.some(faultOf);
  const busy = check.isPending || save.isPending;
  const anyway = checked !== null && !checked.ok;
  return (
    <Dialog
      title={cluster ? `Change ${cluster.name}` : "Add a cluster"}
      onClose={onClose}
      size={560}
    >
      <form
        className={dialogBody}
        onSubmit={(event) => void submit(event)}
        noValidate
        autoComplete="off"
      >
        {!cluster && (
          <TextInput
            label="Name"
            placeholder="munich"
            autoCapitalize="none"
            spellCheck={false}
            maxLength={63}
            data-autofocus
            value={draft.name}
            error={faultOf("name")}
            onChange={(event) => change({ name: event.currentTarget.value })}
          />
        )}
        <div className={classes.field}>
          <span id={wayId}>How Podium reaches it</span>
          <SegmentedControl
            size="xs"
            aria-labelledby={wayId}
            data={ways}
            value={draft.way}
            onChange={(way) => change({ way: way as ClusterDraft["way"] })}
          />
          {draft.way === "inside" && (
            <p className={classes.note}>
              Podium’s server runs in that cluster, and uses the account of its own pod.
            </p>
          )}
          {faultOf("in_cluster") && (
            <p className={classes.fault} role="alert">
              {faultOf("in_cluster")}
            </p>
          )}
        </div>
        {draft.way === "kubeconfig" && (
          <>
            <Textarea
              label="Kubeconfig"
              description={
                reached
                  ? `It is reached at ${cluster.server}. Leave this empty to keep it so.`
                  : "With everything in it, as kubectl config view --flatten --raw prints it. It is sealed and never shown again."
              }
              placeholder={"apiVersion: v1\nkind: Config\nclusters: …"}
              rows={6}
              spellCheck={false}
              autoCapitalize="none"
              classNames={{ input: classes.code ?? "" }}
              value={draft.kubeconfig}
              error={faultOf("kubeconfig")}
              onChange={(event) => change({ kubeconfig: event.currentTarget.value })}
            />
            {draft.kubeconfig.trim() && (
              <TextInput
                label="Context"
                description="Which of them; empty for its current one."
                autoCapitalize="none"
                spellCheck={false}
                maxLength={253}
                value={draft.context}
                error={faultOf("context")}
                onChange={(event) => change({ context: event.currentTarget.value })}
              />
            )}
          </>
        )}
        <div className={classes.pair}>
          <TextInput
            label="Region"
            placeholder="eu-central"
            autoCapitalize="none"
            spellCheck={false}
            maxLength={63}
            value={draft.region}
            error={faultOf("region")}
            onChange={(event) => change({ region: event.currentTarget.value })}
          />
          <TagsInput
            label="Labels of its nodes"
            placeholder={draft.labels.length > 0 ? "" : "zone=secure"}
            value={draft.labels}
            error={faultOf("labels")}
            onChange={(labels) => change({ labels })}
          />
        </div>
        <TextInput
          label="Image for work that names none"
          description="Without one, such work cannot run there."
          placeholder="registry.example.com/ai/base:1"
          autoCapitalize="none"
          spellCheck={false}
          maxLength={500}
          value={draft.image}
          error={faultOf("image")}
          onChange={(event) => change({ image: event.currentTarget.value })}
        />
        <TextInput
          label="Before names of groups"
          description="What its API server puts there (--oidc-groups-prefix), so that groups may look at their projects with kubectl."
          placeholder="oidc:"
          autoCapitalize="none"
          spellCheck={false}
          maxLength={63}
          value={draft.groupsPrefix}
          error={faultOf("groups_prefix")}
          onChange={(event) => change({ groupsPrefix: event.currentTarget.value })}
        />
        {checked && <Checked found={checked} />}
        {error && !placed && <DialogFailure>{error.message}</DialogFailure>}
        <DialogActions>
          <Button variant="default" onClick={onClose}>
            Leave it
          </Button>
          {!reached && (
            <Button
              variant="default"
              loading={check.isPending}
              disabled={save.isPending}
              onClick={() => {
                const { kubeconfig } = faultsOf(draft, cluster);
                setFaults(kubeconfig ? { kubeconfig } : {});
                if (!kubeconfig) void tried();
              }}
            >
              Check
            </Button>
          )}
          <Button type="submit" loading={busy && !check.isPending} disabled={check.isPending}>
            {cluster ? "Save" : "Add"}
            {anyway && " anyway"}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

/** The context goes with a kubeconfig alone. */
function changeOf({ in_cluster, kubeconfig, context }: ClusterAccess): ClusterChange {
  if (in_cluster || !kubeconfig) return { in_cluster: true };
  return { kubeconfig, ...(context && { context }) };
}

function Checked({
  found: { ok, version, nodes, gpus, missing, server },
}: {
  found: ClusterCheck;
}) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => place.current?.scrollIntoView?.({ block: "nearest" }), []);
  return (
    <div ref={place} className={classes.checked} data-ok={ok} role="status">
      {ok ? <CheckIcon /> : <WarningIcon />}
      <div>
        <p>
          {server || "The cluster around this server"} answers: Kubernetes {versionInWords(version)}
          , {counted(nodes, "node")}, {counted(gpus, "GPU")}.
        </p>
        {missing.length > 0 && (
          <>
            <p>Its account may not do all that Podium needs there:</p>
            <ul>
              {missing.map((each) => (
                <li key={each}>
                  <code>{each}</code>
                </li>
              ))}
            </ul>
          </>
        )}
      </div>
    </div>
  );
}
