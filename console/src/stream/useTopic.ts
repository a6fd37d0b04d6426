/** Listens to one topic of the live feed. */
import { useEffect, useRef } from "react";
import { feed } from "./feed";
import type { Topic, TopicHandler, TopicNews } from "./topics";

/** Listens while the component is shown. The handler may be new at each render. */
export function useTopic<Name extends Topic>(
  topic: Name,
  handler: TopicHandler<TopicNews[Name]>,
): void {
  const latest = useRef(handler);
  latest.current = handler;
  useEffect(
    () =>
      feed.listen(topic, {
        onEvent: (news) => latest.current.onEvent(news as TopicNews[Name]),
        onResync: () => latest.current.onResync?.(),
      }),
    [topic],
  );
}
