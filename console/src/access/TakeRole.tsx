/** Takes a role away, after asking. */
import { useState } from "react";
import type { Binding } from "../api/types";
import { Ask } from "./Ask";
import classes from "./access.module.css";
import { useRoleTake } from "./queries";
import { placeInWords } from "./words";

export function TakeRole({ binding }: { binding: Binding }) {
  const [asking, setAsking] = useState(false);
  const take = useRoleTake(binding.id);
  const { subject, subject_kind, role, level, target } = binding;
  const where = placeInWords(level, target);
  const who = subject_kind === "group" ? `group ${subject}` : subject;
  return (
    <>
      <button
        type="button"
        className={classes.textButton}
        data-ends
        aria-label={`Take away ${role} in ${where} from ${who}`}
        onClick={() => setAsking(true)}
      >
        Take away
      </button>
      {asking && (
        <Ask
          title={`Take ${role} from ${who}`}
          does="Take the role away"
          change={take}
          onClose={() => setAsking(false)}
        >
          <p>
            {subject_kind === "group" ? `Everyone in ${who}` : who} loses what the role includes in{" "}
            {where}, at once, unless another role includes it too. Work that runs goes on.
          </p>
        </Ask>
      )}
    </>
  );
}
