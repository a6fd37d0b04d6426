/** Who changed which quota, when, and from what to what. */

import { placeInWords } from "../access/words";
import { PageState } from "../frame/PageState";
import { ShowMore } from "../frame/ShowMore";
import { useQuotaHistory } from "../queue/queries";
import { Section } from "../queue/Section";
import { RelativeTime } from "../time/Times";
import { changesInWords } from "./history";
import classes from "./quotas.module.css";

export function QuotaHistory() {
  const history = useQuotaHistory();
  const items = history.data?.pages.flatMap((page) => page.items);
  return (
    <Section title="History">
      {!items && <PageState query={history} what="the history of quotas" rows={3} />}
      {items?.length === 0 && <p className={classes.note}>No quota was ever changed.</p>}
      {items && items.length > 0 && (
        <ul className={classes.history} aria-label="History of quotas">
          {items.map((change) => (
            <li key={change.id}>
              <p>
                <b>{placeInWords(change.level, change.name)}</b>
                <span>
                  {" "}
                  {change.username}, <RelativeTime at={change.at} />
                </span>
              </p>
              <p>
                {changesInWords(change).map((words) => (
                  <span key={words}>{words}</span>
                ))}
                {change.after === null && <span>Nothing is set any more</span>}
              </p>
            </li>
          ))}
        </ul>
      )}
      <ShowMore list={history} />
    </Section>
  );
}
