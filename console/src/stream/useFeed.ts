/** Keeps the live feed open while the console is shown. The frame uses it once. */
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { useProject } from "../projects/scope";
import { sessionRecheck } from "../session/queries";
import { useTimeZone } from "../time/zone";
import { feed } from "./feed";

export function useFeed(): void {
  const queries = useQueryClient();
  const project = useProject();
  const timeZone = useTimeZone();
  const scope = useRef({ project, timeZone });
  useEffect(
    // A stream does not say why it ended; asking who is signed in finds an ended session.
    () => feed.start(scope.current, () => sessionRecheck(queries)),
    [queries],
  );
  useEffect(() => {
    scope.current = { project, timeZone };
    feed.scopeSet(scope.current);
  }, [project, timeZone]);
}
