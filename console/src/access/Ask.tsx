/** Asks before something is done that ends or takes something, and says what will be lost. */
import { Button } from "@mantine/core";
import type { ReactNode } from "react";
import {
  DestructiveButton,
  Dialog,
  DialogActions,
  DialogFailure,
  dialogBody,
} from "../frame/Dialog";

interface Props {
  title: string;
  /** On the button: the verb, and what it is done to. */
  does: string;
  keeps?: string;
  change: { mutate: (given: undefined, options: { onSuccess: () => void }) => void } & {
    isPending: boolean;
    error: Error | null;
  };
  onClose: () => void;
  /** In place of closing, when it was done. */
  onDone?: () => void;
  children: ReactNode;
}

export function Ask({ title, does, keeps = "Leave it", change, onClose, onDone, children }: Props) {
  return (
    <Dialog title={title} onClose={onClose}>
      <div className={dialogBody}>
        {children}
        {change.error && <DialogFailure>{change.error.message}</DialogFailure>}
        <DialogActions>
          <Button variant="default" onClick={onClose} data-autofocus>
            {keeps}
          </Button>
          <DestructiveButton
            loading={change.isPending}
            onClick={() => change.mutate(undefined, { onSuccess: onDone ?? onClose })}
          >
            {does}
          </DestructiveButton>
        </DialogActions>
      </div>
    </Dialog>
  );
}
