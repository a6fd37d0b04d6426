/** Where the audit trail is forwarded to, and how far each receiver has got. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { answered, api } from "../../api/client";

/** That of the audit page, which shows the same in short. */
const key = ["audit", "forwards"];
const AGAIN_MS = 2_000;

export function useForwards() {
  return useQuery({
    queryKey: key,
    queryFn: ({ signal }) => answered(api.GET("/api/v1/audit/forwards", { signal })),
    refetchInterval: AGAIN_MS,
  });
}

function useForwardChange<Given, Answer>(run: (given: Given) => Promise<Answer>) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: run,
    onSuccess: () => queries.invalidateQueries({ queryKey: ["audit"] }),
  });
}

export interface Wish {
  name: string;
  address: string;
  /** Undefined leaves what is there, the empty text takes it away. */
  secret?: string;
  ca?: string;
  from_start?: boolean;
}

export function useForwardSet() {
  return useForwardChange(({ name, ...body }: Wish) =>
    answered(
      api.PUT("/api/v1/audit/forwards/{name}", {
        params: { path: { name } },
        body: { from_start: false, ...body },
      }),
    ),
  );
}

export function useForwardRemove(name: string) {
  return useForwardChange((_: undefined) =>
    answered(api.DELETE("/api/v1/audit/forwards/{name}", { params: { path: { name } } })),
  );
}

export function useForwardTry(name: string) {
  return useForwardChange((_: undefined) =>
    answered(api.POST("/api/v1/audit/forwards/{name}/test", { params: { path: { name } } })),
  );
}
