/** Lets the trail go on after a fault that is explained. */
import { Button, Textarea } from "@mantine/core";
import { useState } from "react";
import { faultAt } from "../api/problem";
import { Dialog, DialogActions, DialogFailure, dialogBody } from "../frame/Dialog";
import { useBreak } from "./queries";

const REASON_MAX = 500;

export function BreakDialog({ onClose, onDone }: { onClose: () => void; onDone: () => void }) {
  const [reason, setReason] = useState("");
  const [tried, setTried] = useState(false);
  const declare = useBreak();
  const missing = reason.trim() === "" ? "Say in a sentence what happened." : null;
  const fault = (tried && missing) || faultAt(declare.error, "reason");
  return (
    <Dialog title="Declare a break" onClose={onClose}>
      <form
        className={dialogBody}
        onSubmit={(event) => {
          event.preventDefault();
          setTried(true);
          if (!missing) declare.mutate(reason.trim(), { onSuccess: onDone });
        }}
      >
        <p>
          The trail goes on from here and is sealed again. What is wrong before stays on record,
          with this reason and your name. It cannot be taken back.
        </p>
        <Textarea
          label="What happened"
          placeholder="Restored the backup of 3 May after the disk failed."
          value={reason}
          error={fault}
          maxLength={REASON_MAX}
          rows={3}
          data-autofocus
          onChange={(event) => {
            setReason(event.currentTarget.value);
            declare.reset();
          }}
        />
        {declare.error && !fault && <DialogFailure>{declare.error.message}</DialogFailure>}
        <DialogActions>
          <Button variant="default" onClick={onClose}>
            Leave as it is
          </Button>
          <Button type="submit" loading={declare.isPending}>
            Declare a break
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
