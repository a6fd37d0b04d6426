/** The first workload of a new server: something to watch that needs one GPU for a moment. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { answered, api } from "../api/client";
import { useProjectNames } from "../projects/queries";
import { useProject } from "../projects/scope";
import { useMay } from "../session/queries";

/** Also the form's example: `/submit?example=hello`. */
export const helloSpec = {
  name: "hello-gpu",
  kind: "batch" as const,
  script: [
    'echo "Hello from $PODIUM_NODE"',
    'echo "This process has GPU $CUDA_VISIBLE_DEVICES"',
    "for step in $(seq 1 20); do",
    '  echo "step $step of 20"',
    "  sleep 1",
    "done",
    "",
  ].join("\n"),
  resources: { gpus: 1, cpus: 1, memory: "256MiB" },
  max_runtime: "5m",
};

/** The project that a submission goes to when nobody chose: undefined leaves it to the server. */
export function useSubmitProject(): string | undefined {
  const chosen = useProject();
  const may = useMay();
  const names = useProjectNames();
  if (chosen) return chosen;
  const open = names.filter((name) => may("workload:submit", name));
  if (open.length === 1) return undefined;
  return open.includes("default") ? "default" : open[0];
}

/** Submits the example; the answer holds the workload's id. */
export function useHello() {
  const queries = useQueryClient();
  const project = useSubmitProject();
  return useMutation({
    mutationFn: () =>
      answered(
        api.POST("/api/v1/workloads", {
          // The generated type wants every field that has a default.
          body: { ...helloSpec, ...(project && { project }) } as never,
        }),
      ),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["workloads"] }),
  });
}
