/** A secret that is shown once, with a button that copies it; it takes the focus. */
import { Button } from "@mantine/core";
import { type ReactNode, useEffect, useRef } from "react";
import { Copyable } from "./Copyable";
import classes from "./once.module.css";

interface Props {
  secret: string;
  onDone: () => void;
  /** What it is, and that it is not shown again. */
  children: ReactNode;
}

export function Once({ secret, onDone, children }: Props) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => box.current?.focus(), []);
  return (
    <div ref={box} tabIndex={-1} className={classes.secret} role="status">
      <p>{children}</p>
      <Copyable text={secret} block />
      <div>
        <Button variant="default" onClick={onDone}>
          I have it
        </Button>
      </div>
    </div>
  );
}
