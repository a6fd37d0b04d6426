/** What the console asks of the scheduler without doing anything. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { answered, api } from "../api/client";
import type { WhatIf, WhatIfRequest } from "../api/types";

/** What changes would do, as things stand; asked again only when the window is opened anew. */
export function useWhatIf(changes: WhatIfRequest["changes"], enabled = true) {
  return useQuery({
    queryKey: ["what-if", changes],
    queryFn: ({ signal }): Promise<WhatIf> =>
      answered(api.POST("/api/v1/what-if", { body: { changes }, signal })),
    placeholderData: keepPreviousData,
    staleTime: 5_000,
    retry: false,
    enabled,
  });
}
