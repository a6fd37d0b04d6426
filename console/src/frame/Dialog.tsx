/** What asks before something is done: the window, its buttons, and values to pick from. */
import { Button, type ButtonProps, Modal } from "@mantine/core";
import type { ComponentPropsWithoutRef, ReactNode } from "react";
import classes from "./dialog.module.css";

interface Props {
  title: string;
  onClose: () => void;
  /** In pixels, where the screen has as many. */
  size?: number;
  children: ReactNode;
}

export function Dialog({ title, onClose, size = 440, children }: Props) {
  return (
    <Modal
      opened
      onClose={onClose}
      title={title}
      centered
      size={size}
      padding={20}
      classNames={{ title: classes.title ?? "" }}
    >
      {children}
    </Modal>
  );
}

/** The class of what stands in a dialog: one thing below the other. */
export const dialogBody = classes.body ?? "";

export function DialogActions({ children }: { children: ReactNode }) {
  return <div className={classes.actions}>{children}</div>;
}

/** Does what cannot be taken back. */
export function DestructiveButton(
  props: ButtonProps & Omit<ComponentPropsWithoutRef<"button">, keyof ButtonProps>,
) {
  return <Button {...props} className={classes.destructive} />;
}

export function DialogFailure({ children }: { children: ReactNode }) {
  return (
    <p className={classes.failure} role="alert">
      {children}
    </p>
  );
}

interface OffersProps {
  values: readonly string[];
  chosen: string;
  onChoose: (value: string) => void;
  said?: (value: string) => string;
}

/** Usual values of the field above. */
export function Offers({ values, chosen, onChoose, said = (value) => value }: OffersProps) {
  return (
    <div className={classes.offers}>
      {values.map((value) => (
        <button
          key={value}
          type="button"
          className={classes.offer}
          aria-pressed={chosen === value}
          onClick={() => onChoose(value)}
        >
          {said(value)}
        </button>
      ))}
    </div>
  );
}
