/** How many workloads match filters, for the tabs above the list. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { answered, api } from "../api/client";
import { selectionQuery, type WorkloadFilters } from "./filters";
import { workloadKeys } from "./queries";
import { totalShort } from "./windows";

/** In words; undefined until it is known. The live feed says when to count again. */
export function useCount(filters: WorkloadFilters): string | undefined {
  const { data } = useQuery({
    queryKey: workloadKeys.count(filters),
    queryFn: async ({ signal }) => {
      const query = { ...selectionQuery(filters), limit: 1 };
      const page = await answered(api.GET("/api/v1/workloads", { params: { query }, signal }));
      return page.total ?? page.items.length;
    },
    staleTime: Number.POSITIVE_INFINITY,
    placeholderData: keepPreviousData,
  });
  return data === undefined ? undefined : totalShort(data);
}
