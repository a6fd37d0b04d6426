/** Gives up the work on a lost node, after asking whether that is meant. */
import { Button } from "@mantine/core";
import { useState } from "react";
import type { Node } from "../api/types";
import {
  DestructiveButton,
  Dialog,
  DialogActions,
  DialogFailure,
  dialogBody,
} from "../frame/Dialog";
import { counted } from "../quantity/words";
import { useMay } from "../session/queries";
import { useRelease } from "./queries";

export function ReleaseButton({ node }: { node: Node }) {
  const may = useMay();
  const [asking, setAsking] = useState(false);
  if (!may("node:release") || node.state !== "lost" || !(node.replicas || asking)) return null;
  return (
    <>
      <Button
        variant="default"
        onClick={() => setAsking(true)}
        title="What was placed here goes on elsewhere"
      >
        Release
      </Button>
      {asking && <ReleaseDialog node={node} onClose={() => setAsking(false)} />}
    </>
  );
}

function ReleaseDialog({ node, onClose }: { node: Node; onClose: () => void }) {
  const release = useRelease(node.name);
  const { replicas = 0 } = node;
  return (
    <Dialog title={`Release ${node.name}`} onClose={onClose}>
      <div className={dialogBody}>
        <p>
          Only when the machine is really off: work that still runs there would run twice until it
          is back.
        </p>
        <p>
          {counted(replicas, "replica")} {replicas === 1 ? "is" : "are"} given up and queued again,
          without using up a retry. What is found running when the machine is back is stopped.
        </p>
        {release.isError && <DialogFailure>{release.error.message}</DialogFailure>}
        <DialogActions>
          <Button variant="default" onClick={onClose} data-autofocus>
            Keep it
          </Button>
          <DestructiveButton
            loading={release.isPending}
            onClick={() => release.mutate(undefined, { onSuccess: onClose })}
          >
            Give up its work
          </DestructiveButton>
        </DialogActions>
      </div>
    </Dialog>
  );
}
