/** Changes the priority, time limit or deadline of a workload. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { answered, api } from "../../api/client";
import type { WorkloadChange, WorkloadDetail } from "../../api/types";
import { detailChanged } from "../changes";
import { workloadKeys } from "../queries";

export function useChange(id: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: WorkloadChange) =>
      answered(
        api.PATCH("/api/v1/workloads/{workload_id}", {
          params: { path: { workload_id: id } },
          body,
        }),
      ),
    onSuccess: (workload) => {
      queries.setQueryData<WorkloadDetail>(workloadKeys.detail(id), (held) =>
        held ? detailChanged(held, workload) : undefined,
      );
      void queries.invalidateQueries({ queryKey: workloadKeys.detail(id) });
      void queries.invalidateQueries({ queryKey: workloadKeys.explain(id) });
    },
  });
}
