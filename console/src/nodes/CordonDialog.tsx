/** Asks before new work is kept off a node, and says what that does to those who wait. */
import { Button, SegmentedControl } from "@mantine/core";
import { useState } from "react";
import type { Node } from "../api/types";
import { Difference } from "../foresight/Difference";
import { useWhatIf } from "../foresight/queries";
import { Dialog, DialogActions, DialogFailure, dialogBody } from "../frame/Dialog";
import { Skeleton } from "../frame/PageState";
import { useCordon } from "./queries";

const views = [
  { value: "cordon", label: "What runs goes on" },
  { value: "drain", label: "If it had to stop" },
] as const;

export function CordonDialog({ node: { name }, onClose }: { node: Node; onClose: () => void }) {
  const cordon = useCordon(name);
  const [view, setView] = useState<"cordon" | "drain">("cordon");
  const { data, error } = useWhatIf([{ change: view, node: name }]);
  return (
    <Dialog title={`Cordon ${name}`} onClose={onClose}>
      <div className={dialogBody}>
        <p>Nothing new starts there. What runs goes on, until it ends or you cancel it.</p>
        <SegmentedControl
          size="xs"
          aria-label="What would happen"
          data={views.map((each) => ({ ...each }))}
          value={view}
          onChange={(next) => setView(next as typeof view)}
        />
        <div aria-live="polite">
          {data ? (
            <Difference found={data} />
          ) : error ? (
            <p>What it does to others cannot be told now: {error.message}</p>
          ) : (
            <Skeleton rows={3} label="Playing it through" />
          )}
        </div>
        {cordon.isError && <DialogFailure>{cordon.error.message}</DialogFailure>}
        <DialogActions>
          <Button variant="default" onClick={onClose}>
            Leave as it is
          </Button>
          <Button
            loading={cordon.isPending}
            data-autofocus
            onClick={() => cordon.mutate(true, { onSuccess: onClose })}
          >
            Cordon
          </Button>
        </DialogActions>
      </div>
    </Dialog>
  );
}
