import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { nameChange, valueSet } from "./specEdit";
import { entriesAt, type Path, type Plain, specRead, textAt } from "./specText";

const spec = `# Trains a model.
name: digits   # short
kind: training

# Why so many: see the notes.
resources:
    gpus: 2     # each
    # as measured
    cpus: "4"

script: |
  set -e
  python train.py
env: {EPOCHS: 10, MODE: 'fast'}
secrets:
- HF_TOKEN  # to fetch
- WANDB
# the end
`;

describe("a change touches its field alone", () => {
  test.each<[string, Path, Plain | undefined, string, string]>([
    ["a value", ["name"], "letters", "name: digits   #", "name: letters   #"],
    ["a nested value", ["resources", "gpus"], 4, "gpus: 2     #", "gpus: 4     #"],
    ["a quoted value", ["resources", "cpus"], "8", 'cpus: "4"', 'cpus: "8"'],
    [
      "a value that is put in",
      ["resources", "memory"],
      "1GiB",
      'cpus: "4"\n',
      'cpus: "4"\n    memory: 1GiB\n',
    ],
    [
      "a value between others",
      ["resources", "gpu_type"],
      "H100",
      "# each\n",
      "# each\n    gpu_type: H100\n",
    ],
    [
      "a field at its place",
      ["project"],
      "vision",
      "kind: training\n",
      "kind: training\nproject: vision\n",
    ],
    ["a field that goes", ["kind"], undefined, "kind: training\n", ""],
    [
      "a value in braces",
      ["env", "EPOCHS"],
      20,
      "{EPOCHS: 10, MODE: 'fast'}",
      "{ EPOCHS: 20, MODE: 'fast' }",
    ],
    ["a script", ["script"], "true\nfalse\n", "set -e\n  python train.py", "true\n  false"],
    [
      "a list",
      ["secrets"],
      ["HF_TOKEN"],
      "- HF_TOKEN  # to fetch\n- WANDB",
      "  - HF_TOKEN # to fetch",
    ],
    [
      "a map that is new",
      ["topology", "within"],
      "rack",
      'cpus: "4"\n',
      'cpus: "4"\ntopology:\n  within: rack\n',
    ],
  ])("%s", (_, path, value, before, after) => {
    expect(spec).toContain(before);
    expect(valueSet(spec, path, value)).toBe(spec.replace(before, after));
  });

  test("an empty text grows by fields, in their order", () => {
    let text = valueSet("", ["command"], "echo hello");
    text = valueSet(text, ["name"], "hello");
    text = valueSet(text, ["resources", "gpus"], 1);
    expect(text).toBe("name: hello\ncommand: echo hello\nresources:\n  gpus: 1\n");
  });

  test("what leaves a map empty takes the map with it", () => {
    expect(valueSet("name: a\nresources:\n  gpus: 1\n", ["resources", "gpus"], undefined)).toBe(
      "name: a\n",
    );
    expect(valueSet("name: a\nenv: {A: 1}\n", ["env", "A"], undefined)).toBe("name: a\n");
  });

  test("a name is changed in its place", () => {
    expect(nameChange(spec, ["env", "MODE"], "SPEED")).toBe(spec.replace("MODE", "SPEED"));
    expect(nameChange(spec, ["env", "MODE"], "EPOCHS")).toBe(spec);
  });

  test("a text that is broken stays as it is", () => {
    expect(valueSet("name: [a\n", ["name"], "b")).toBe("name: [a\n");
  });
});

test("a broken text says where", () => {
  expect(specRead("name: a\nname: b\n").broken).toMatchObject({ line: 2, column: 1 });
  expect(specRead("- a\n").broken?.message).toMatch(/^A workload is lines of fields/);
  expect(specRead("").broken).toBeNull();
});

test("values are read as they were written", () => {
  const { document } = specRead(
    "retries: 02\nresources: {cpus: 2.50}\nname: ~\nenv: {A: yes, B: }\n",
  );
  expect(textAt(document, ["retries"])).toBe("02");
  expect(textAt(document, ["resources", "cpus"])).toBe("2.50");
  expect(textAt(document, ["name"])).toBe("");
  expect(textAt(document, ["resources"])).toBeNull();
  expect(entriesAt(document, ["env"])).toEqual([
    ["A", "yes"],
    ["B", ""],
  ]);
});

/** Numbers from 0 to 1, the same on every run. */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

function rounds(seed: number) {
  const next = chance(seed);
  const pick = <Item>(from: readonly Item[]): Item =>
    from[Math.floor(next() * from.length)] as Item;
  const letters = [
    "a",
    "Z",
    "0",
    "9",
    " ",
    ":",
    "#",
    "-",
    "'",
    '"',
    "\\",
    "{",
    "]",
    ",",
    "&",
    "*",
    "!",
    "|",
    ">",
    "%",
    "@",
    "é",
    "…",
    "\t",
    "\n",
    "=",
    "~",
    ".",
    "?",
    "\u{1f600}",
  ];
  const awkward = [
    "true",
    "null",
    "~",
    "no",
    "1e3",
    "0x10",
    "2.10",
    "- a",
    "a: b",
    "# c",
    "...",
    "---",
    " lead",
    "trail ",
    "\n",
    "a\n\n",
    "\n a",
    "a\n  b\n c\n",
    "{}",
    "[]",
    "<<",
  ];
  const text = () =>
    next() < 0.3
      ? pick(awkward)
      : Array.from({ length: 1 + Math.floor(next() * 12) }, () => pick(letters)).join("");
  const scalar = (): Plain => (next() < 0.3 ? Math.floor(next() * 100) : text());
  return { next, pick, text, scalar };
}

const places: Path[] = [
  ["name"],
  ["kind"],
  ["project"],
  ["command"],
  ["script"],
  ["image"],
  ["priority"],
  ["retries"],
  ["source", "git"],
  ["source", "ref"],
  ["resources", "gpus"],
  ["resources", "gpu_type"],
  ["resources", "memory"],
  ["resources", "nodes", "zone"],
  ["replicas", "max"],
  ["replicas"],
  ["topology", "within"],
  ["env", "A"],
  ["env", "B"],
  ["env", "C"],
  ["labels", "x"],
  ["secrets"],
  ["depends_on"],
];
const begun = [
  "",
  "# only words\n",
  spec,
  "{name: a, env: {A: 1}}\n",
  "name: a",
  "name: a\nresources:\n",
  "resources: {gpus: 1, nodes: {zone: x}}  # tail\nenv:\n\n  # first\n  A: x\n\n  B: |\n    two\n    lines\n\n# foot\n",
  "volumes:\n- name: data\n  path: /srv # where\nsecrets: [A, B]\nscript: >-\n  folded\n  text\nreplicas: {max: 3}\n",
];

test.each(Array.from({ length: 60 }, (_, seed) => [seed]))("random changes, round %i", (seed) => {
  const { next, pick, text, scalar } = rounds(seed + 1);
  let written = pick(begun);
  for (let turn = 0; turn < 12; turn += 1) {
    const path = pick(places);
    const isList = path[0] === "secrets" || path[0] === "depends_on";
    const value = next() < 0.25 ? undefined : isList ? [text(), text()] : scalar();
    const before = parse(written) ?? {};
    const comments = commentsOf(written);
    const after = valueSet(written, path, value);
    expect(specRead(after).broken, after).toBeNull();
    expect(
      read(parse(after) ?? {}, path),
      `${written}\n=> ${path} = ${JSON.stringify(value)}\n${after}`,
    ).toEqual(value);
    // Everything else says what it said.
    const [top] = path as [string];
    const rest = ({ [top]: _, ...others }) => others;
    expect(rest(parse(after) ?? {})).toEqual(rest(before));
    expect(commentsKept(comments, after, written, path, value)).toEqual([]);
    // The same again changes nothing, and a text comes back as it was.
    expect(valueSet(after, path, value)).toBe(after);
    if (typeof value === "string") expect(textAt(specRead(after).document, path)).toBe(value);
    written = after;
  }
});

function read(plain: Record<string, unknown>, path: Path): unknown {
  return path.reduce<unknown>(
    (value, part) => (value as Record<string, unknown> | undefined)?.[part],
    plain,
  );
}

/** Comments on lines of their own at the left edge, which belong to no value. */
function commentsOf(text: string): string[] {
  return text.split("\n").filter((line) => /^# \w/.test(line));
}

function commentsKept(
  comments: string[],
  after: string,
  before: string,
  path: Path,
  value: unknown,
): string[] {
  return comments
    .filter((each) => !after.includes(each))
    .map((each) => `${each}: ${JSON.stringify({ before, path, value, after })}`);
}
