/** Specs to begin with. Each is whole: it can be submitted as it stands. */

export interface Example {
  name: string;
  title: string;
  sentence: string;
  text: string;
}

export const examples: readonly Example[] = [
  {
    name: "hello",
    title: "Hello",
    sentence: "One small batch job that needs no GPU: to see that all works.",
    text: `# The smallest workload: a program and its arguments.
name: hello
kind: batch
command: echo hello
`,
  },
  {
    name: "gang",
    title: "Gang",
    sentence: "Replicas that start together or not at all, as distributed training needs.",
    text: `# Four replicas that start together. Each finds its rank and the first one in its environment.
name: gang
kind: training
script: |
  echo "replica $RANK of $WORLD_SIZE meets the others at $MASTER_ADDR:$MASTER_PORT"
  # python train.py goes here
replicas: 4
resources:
  gpus: 1
  cpus: 1
  memory: 512MiB
max_runtime: 1h
retries: 1
`,
  },
  {
    name: "groups",
    title: "Groups",
    sentence: "A gang of unlike replicas, say a learner with a GPU and actors without.",
    text: `# One learner and four actors that start together or not at all. Each finds its group and its
# number in it. What a group leaves out is as it is said for all of them.
name: groups
kind: training
script: |
  echo "$PODIUM_GROUP $PODIUM_GROUP_RANK of $PODIUM_GROUP_SIZE"
groups:
  - name: learner
    resources:
      gpus: 1
  - name: actor
    replicas: 4
resources:
  cpus: 0.25
  memory: 128MiB
max_runtime: 1h
`,
  },
  {
    name: "array",
    title: "Array",
    sentence: "Many tasks, each for itself: sweeps, evaluation, data preparation.",
    text: `# Twenty tasks that start and end each for itself, as there is room.
name: sweep
kind: batch
script: |
  echo "task $PODIUM_TASK_INDEX of $PODIUM_TASK_COUNT"
array: 20
resources:
  cpus: 0.25
  memory: 128MiB
max_runtime: 10m
`,
  },
  {
    name: "notebook",
    title: "Notebook",
    sentence: "A workspace that stays while you work in it, with a share of a GPU.",
    text: `# The program must be installed on the node, or in the image.
name: notebook
kind: workspace
command: jupyter lab --no-browser
resources:
  gpus: 0.5
  cpus: 1
  memory: 2GiB
# It is stopped then, so that its GPU is not held over night.
max_runtime: 8h
`,
  },
  {
    name: "fraction",
    title: "Share of a GPU",
    sentence: "Several small jobs on one device: a quarter of a GPU each.",
    text: `# A share below 1 leaves the rest of the device to others.
name: quarter
kind: evaluation
script: |
  echo "this much of a GPU in thousandths: $PODIUM_GPU_MILLI"
resources:
  gpus: 0.25
  cpus: 0.5
  memory: 256MiB
max_runtime: 15m
`,
  },
];

export function exampleNamed(name: string): Example | undefined {
  return examples.find((each) => each.name === name);
}
