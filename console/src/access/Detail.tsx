/** The head of one person, group, project or account: the way back, its name, a sentence, and what
 * can be done with it. */
import type { ReactNode } from "react";
import { useTitle } from "../frame/title";
import classes from "./access.module.css";

interface Props {
  name: string;
  /** The link to the list that it stands in. */
  back: ReactNode;
  sentence: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}

export function Detail({ name, back, sentence, actions, children }: Props) {
  useTitle(name);
  return (
    <article className={classes.detail} aria-labelledby="detail-name">
      <p className={classes.back}>{back}</p>
      <header className={classes.detailHead}>
        <div>
          <h2 id="detail-name">{name}</h2>
          <p>{sentence}</p>
        </div>
        {actions && <div className={classes.actions}>{actions}</div>}
      </header>
      {children}
    </article>
  );
}
