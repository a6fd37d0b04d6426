/** The same submission from a terminal and from Python. */

export function fileName(name: string): string {
  return `${/^[a-z0-9][a-z0-9-]*$/.test(name) ? name : "workload"}.yaml`;
}

export function commandLine(name: string): string {
  return `podium submit ${fileName(name)}`;
}

export function pythonText(spec: unknown): string {
  return `import podium

with podium.Client() as client:
    made = client.workloads.submit(${python(spec, 1)})
    print(made.id)
`;
}

const UNIT = "    ";
const LINE_MAX = 72;

function python(value: unknown, depth: number): string {
  if (value === null || value === undefined) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  // What JSON writes of a text or a number, Python reads as the same one.
  if (typeof value !== "object") return JSON.stringify(value);
  const [open, close] = Array.isArray(value) ? ["[", "]"] : ["{", "}"];
  const parts = Array.isArray(value)
    ? value.map((each) => python(each, depth + 1))
    : Object.entries(value).map(
        ([name, each]) => `${JSON.stringify(name)}: ${python(each, depth + 1)}`,
      );
  const line = `${open}${parts.join(", ")}${close}`;
  if (depth > 1 && line.length + depth * UNIT.length <= LINE_MAX && !line.includes("\n"))
    return line;
  const indent = UNIT.repeat(depth);
  return `${open}\n${parts.map((part) => `${indent}${UNIT}${part},\n`).join("")}${indent}${close}`;
}
