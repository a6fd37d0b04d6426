/** A small button with an icon alone; its name shows on hover. `pressed` makes it a switch. */
import type { ReactNode } from "react";
import classes from "./frame.module.css";

interface Props {
  label: string;
  onClick: () => void;
  pressed?: boolean;
  disabled?: boolean;
  children: ReactNode;
}

export function IconButton({ label, onClick, pressed, disabled, children }: Props) {
  return (
    <button
      type="button"
      className={classes.iconButton}
      aria-label={label}
      aria-pressed={pressed}
      title={label}
      disabled={disabled}
      onClick={onClick}
    >
      {children}
    </button>
  );
}
