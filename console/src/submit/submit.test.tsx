import { EditorView } from "@codemirror/view";
import { act, configure, fireEvent, screen, waitFor, within } from "@testing-library/react";
import axe from "axe-core";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { parse } from "yaml";
// Loaded before the tests, so that none of them waits for it.
import "../editor/CodeEditor";
import "./SubmitPage";
import { dryRunOf } from "../foresight/documents";
import { consoleOpen, serverCreate } from "../testing/console";
import { detailOf, deviceOf, identityOf, nodeOf, pageOf } from "../testing/documents";
import { Refused } from "../testing/server";
import { attemptOf, draftBegin, draftsBegin, draftsSwap } from "./draft";
import { commandLine, fileName, pythonText } from "./elsewhere";
import { examples } from "./examples";
import { askOf, fitOf, groupFits } from "./fit";
import { faultMarks } from "./specPlace";
import { specRead } from "./specText";

HTMLCanvasElement.prototype.getContext = () => null;
// A text area that grows listens for fonts, which jsdom has none of.
Object.defineProperty(document, "fonts", { configurable: true, value: new EventTarget() });
// The whole console is drawn, on whatever machine there is.
vi.setConfig({ testTimeout: 60_000 });
configure({ asyncUtilTimeout: 15_000 });

beforeEach(() => window.localStorage.clear());

interface Fault {
  field: string;
  message: string;
  remedy: string;
}

/** As the server checks, as far as the tests go: what is missing, and a retry that is no number. */
function faultsIn(text: string): Fault[] {
  const spec = (parse(text) ?? {}) as Record<string, unknown>;
  const faults: Fault[] = [];
  for (const field of ["name", "command"]) {
    if (!spec[field] && !(field === "command" && spec.script)) {
      faults.push({ field, message: "is missing.", remedy: `Add ${field}.` });
    }
  }
  if (typeof spec.retries === "string") {
    faults.push({ field: "retries", message: "is no number.", remedy: "Write 2." });
  }
  return faults;
}

async function checked(request: Request): Promise<unknown> {
  const faults = faultsIn(await request.text());
  return faults.length > 0 ? new Refused(422, { faults }) : { resolved: { retries: 0 } };
}

function serverOpen(address = "/submit") {
  const server = serverCreate()
    .on("GET /api/v1/auth/me", () => identityOf({ roles: { vision: "developer" } }))
    .on("GET /api/v1/schemas/workload", () => ({ properties: { name: { type: "string" } } }))
    .on("GET /api/v1/projects/vision/secrets", () => pageOf([{ name: "TOKEN", project: "vision" }]))
    .on("GET /api/v1/nodes", () => pageOf([nodeOf({ devices: [deviceOf()] })]))
    .on("POST /api/v1/workloads/validate", checked)
    .on("GET /api/v1/workloads/w-1", () =>
      detailOf({ submitted_spec: { name: "old", command: "true" } }),
    );
  consoleOpen(address);
  return server;
}

async function editorFind(): Promise<EditorView> {
  return waitFor(
    () => {
      const view = EditorView.findFromDOM(
        document.querySelector<HTMLElement>(".cm-content") as HTMLElement,
      );
      if (!view) throw new Error("There is no editor.");
      return view;
    },
    { timeout: 10_000 },
  );
}

function yamlWrite(view: EditorView, text: string) {
  act(() => view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } }));
}

function groupOpen(title: string) {
  const details = screen.getByText(title).closest("details");
  if (!details) throw new Error("There is no such group.");
  details.open = true;
  fireEvent(details, new Event("toggle"));
}

function fieldWrite(field: HTMLElement, value: string) {
  fireEvent.change(field, { target: { value } });
}

test("form and YAML follow each other, and comments stay", async () => {
  serverOpen();
  const view = await editorFind();
  fieldWrite(screen.getByLabelText(/^Name/), "digits");
  expect(view.state.doc.toString()).toBe("name: digits\n");
  yamlWrite(view, "# mine\nname: digits # here\nresources: {gpus: 2}\n");
  expect(screen.getByLabelText("GPUs for each replica")).toHaveValue("2");
  fireEvent.click(screen.getByLabelText(/^Training/));
  expect(view.state.doc.toString()).toBe(
    "# mine\nname: digits # here\nkind: training\nresources: {gpus: 2}\n",
  );
});

test("what keeps a share apart is chosen beside it, and goes with it", async () => {
  serverOpen();
  const view = await editorFind();
  yamlWrite(view, "name: digits\nresources:\n  gpus: 0.25\n  cpus: 1\n");
  const field = await screen.findByRole("radiogroup", { name: "Isolation" });
  expect(within(field).getByLabelText("None")).toBeChecked();
  fireEvent.click(within(field).getByLabelText("MIG"));
  expect(view.state.doc.toString()).toContain("  gpus: 0.25\n  isolation: mig\n  cpus: 1\n");
  yamlWrite(view, "name: digits\nresources: {gpu_memory: 20GiB, isolation: mps}\n");
  const again = await screen.findByRole("radiogroup", { name: "Isolation" });
  expect(within(again).getByLabelText("MPS")).toBeChecked();
  fireEvent.click(screen.getByLabelText("Whole"));
  expect(view.state.doc.toString()).toBe("name: digits\nresources: { gpus: 1 }\n");
  expect(screen.queryByText("Isolation")).toBeNull();
});

test("the dry run stands in the form, stays while the next comes, and its changes are taken over", async () => {
  const asked: string[] = [];
  const budget = {
    name: "nlp-gpus",
    whose: "team nlp",
    currency: null,
    left: "300.000",
    percent: 40,
    per_hour: "4.000",
    runs_out_at: null,
    blocks: false,
  };
  let hold: Promise<void> | null = null;
  serverOpen().on("POST /api/v1/workloads/dry-run", async (request) => {
    const text = await request.text();
    asked.push(text);
    await hold;
    const { resources } = parse(text) as { resources?: { gpus?: number } };
    const found =
      resources?.gpus === 2
        ? dryRunOf({ verdict: "starts", headline: "It starts now on node-1.", changes: [] })
        : dryRunOf({ budgets: [budget, { ...budget, name: "spent", blocks: true }] });
    return { items: [found], looked_at: "2026-03-01T10:00:00Z" };
  });
  const view = await editorFind();
  expect(await screen.findByRole("region", { name: "How it fits now" })).toBeVisible();
  yamlWrite(view, "name: digits\ncommand: 'true'\nresources: {gpus: 4}\n");
  const box = await screen.findByRole("region", { name: "If you submit it now" });
  expect(within(box).getByText("Waits for 4 GPUs; 2 of 8 are free.")).toBeVisible();
  expect(within(box).getByText("5.00 EUR an hour, 15.00 EUR at most")).toBeVisible();
  expect(within(box).getByText("project vision would hold 7 H100 GPUs (at most 8)")).toBeVisible();
  expect(box).toHaveTextContent(
    "nlp-gpus of team nlp: 300 GPU-hours left, 40 % spent; this adds 4 GPU-hours an hour",
  );
  expect(box).toHaveTextContent("spent of team nlp: spent, so this waits until it is whole again.");
  const { violations } = await axe.run(box, { rules: { "color-contrast": { enabled: false } } });
  expect(violations).toEqual([]);
  let release = () => {};
  hold = new Promise((resolve) => {
    release = resolve;
  });
  fireEvent.click(within(box).getByRole("button", { name: "Use 2 GPUs" }));
  expect(view.state.doc.toString()).toContain("gpus: 2");
  await waitFor(() => expect(asked.at(-1)).toContain("gpus: 2"));
  expect(within(box).getByText("Waits for 4 GPUs; 2 of 8 are free.")).toBeVisible();
  expect(box).toHaveAttribute("aria-busy", "true");
  release();
  expect(await within(box).findByText("It starts now on node-1.")).toBeVisible();
});

test("a fault that only the store knows stands at its field", async () => {
  serverOpen().on(
    "POST /api/v1/workloads/dry-run",
    () =>
      new Refused(422, {
        faults: [{ field: "name", message: "is taken by a rule.", remedy: "Choose another." }],
      }),
  );
  const view = await editorFind();
  yamlWrite(view, "name: digits\ncommand: 'true'\n");
  expect((await screen.findAllByText(/[Ii]s taken by a rule\. Choose another\./)).length).toBe(2);
  expect(screen.getByLabelText(/^Name/)).toBeInvalid();
});

test("YAML that is broken keeps the last good form, and says where", async () => {
  serverOpen();
  const view = await editorFind();
  yamlWrite(view, "name: digits\n");
  yamlWrite(view, "name: digits\nenv: [\n");
  expect(await screen.findByText(/^The YAML cannot be read at line 3: /)).toBeVisible();
  expect(screen.getByLabelText(/^Name/)).toHaveValue("digits");
  expect(screen.getByLabelText(/^Name/)).toBeDisabled();
});

test("what is missing is said quietly until one was there, what is wrong at its field", async () => {
  serverOpen();
  const view = await editorFind();
  expect(await screen.findByText(/Still needed/)).toHaveTextContent("Still needed: name, command");
  expect(screen.queryByLabelText("To mend")).toBeNull();
  yamlWrite(view, "name: digits\ncommand: a b\nretries: many\n");
  const list = await screen.findByLabelText("To mend");
  fireEvent.click(within(list).getByText("retries"));
  const field = await screen.findByLabelText("Retries");
  await waitFor(() => expect(field).toHaveFocus());
  expect(field).toBeInvalid();
  expect(screen.getAllByText("Is no number. Write 2.")).not.toHaveLength(0);
  await waitFor(() =>
    expect(document.querySelector(".cm-lintRange-error")).toHaveTextContent("many"),
  );
  fieldWrite(field, "");
  expect(await screen.findByText("Ready to submit")).toBeVisible();
});

test("a double submit and a lost answer send the same key; it goes to the workload", async () => {
  const server = serverOpen("/submit?example=hello");
  await screen.findByText("Ready to submit");
  let answers = 0;
  server.on("POST /api/v1/workloads", () => {
    answers += 1;
    if (answers === 1) throw new TypeError("lost");
    return { id: "w-1", name: "hello", project: "vision", state: "queued", created: false };
  });
  fireEvent.keyDown(window, { key: "Enter", ctrlKey: true });
  fireEvent.keyDown(window, { key: "Enter", ctrlKey: true });
  expect(await screen.findByText(/^The server did not answer/)).toBeVisible();
  fireEvent.click(screen.getByText("Submit workload"));
  await waitFor(() => expect(window.location.pathname).toBe("/workloads/w-1"));
  const sent = server.asked.filter(
    ({ method, url }) => method === "POST" && new URL(url).pathname === "/api/v1/workloads",
  );
  expect(sent).toHaveLength(2);
  const keys = sent.map(({ headers }) => headers.get("Idempotency-Key"));
  expect(keys[0]).toMatch(/^console-[0-9a-f]{32}$/);
  expect(keys[1]).toBe(keys[0]);
  expect(window.localStorage.getItem("podium-draft:ana")).toBeNull();
});

test("submit another keeps the draft; what the server refuses stands at its field", async () => {
  const server = serverOpen("/submit?example=hello");
  await screen.findByText("Ready to submit");
  server.on(
    "POST /api/v1/workloads",
    () => new Refused(422, { faults: [{ field: "name", message: "is taken.", remedy: "" }] }),
  );
  fireEvent.click(screen.getByText("Submit another"));
  expect(await screen.findByLabelText("To mend")).toHaveTextContent("name is taken.");
  server.on("POST /api/v1/workloads", () => ({ id: "w-2", name: "hello", state: "queued" }));
  fireEvent.click(screen.getByText("Submit another"));
  expect(await screen.findByText(/^hello was submitted/)).toBeVisible();
  expect((await editorFind()).state.doc.toString()).toContain("command: echo hello");
});

test("another workload's spec is begun with, and the earlier draft is kept beside it", async () => {
  window.localStorage.setItem(
    "podium-draft:ana",
    JSON.stringify({ current: { text: "name: mine\n", begun: "", origin: "" }, earlier: null }),
  );
  serverOpen("/submit?from=w-1");
  const view = await editorFind();
  expect(view.state.doc.toString()).toBe('name: old\nproject: vision\ncommand: "true"\n');
  fireEvent.click(await screen.findByText("Go on with it"));
  await waitFor(() => expect(screen.getByLabelText(/^Name/)).toHaveValue("mine"));
  expect(window.location.pathname + window.location.search).toBe("/submit");
});

test("variables are rows that can be named, changed and removed", async () => {
  serverOpen();
  const view = await editorFind();
  yamlWrite(view, "name: a\nenv:\n  A: 1 # first\n");
  groupOpen("Environment and secrets");
  fireEvent.click(await screen.findByText("Add variable"));
  fieldWrite(screen.getByLabelText("Variable 2, name"), "B");
  for (const typed of ["x", "x ", "x y"]) {
    fieldWrite(screen.getByLabelText("Variable 2, value"), typed);
  }
  fieldWrite(screen.getByLabelText("Variable 1, name"), "AA");
  expect(view.state.doc.toString()).toBe("name: a\nenv:\n  AA: 1 # first\n  B: x y\n");
  fireEvent.click(screen.getByLabelText("Remove AA"));
  fireEvent.click(screen.getByLabelText("Remove B"));
  expect(view.state.doc.toString()).toBe("name: a\n");
});

test("a person who may only look is told what it takes", async () => {
  serverCreate().on("GET /api/v1/auth/me", () => identityOf({ roles: { vision: "viewer" } }));
  consoleOpen("/submit");
  expect(await screen.findByText("You cannot submit yet")).toBeVisible();
});

test("the page is without fault", async () => {
  serverOpen("/submit?example=gang");
  await editorFind();
  await screen.findByText("Ready to submit");
  for (const details of document.querySelectorAll("details")) {
    details.open = true;
    fireEvent(details, new Event("toggle"));
  }
  await screen.findByText("Add volume");
  const { violations } = await axe.run(document.body, {
    rules: { "color-contrast": { enabled: false } },
  });
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map((n) => n.html)}`)).toEqual([]);
});

describe("how it fits", () => {
  const nodes = [
    nodeOf({ name: "a", devices: [deviceOf(), deviceOf({ id: "2", gpu_milli_used: 1000 })] }),
    nodeOf({ name: "b", devices: [deviceOf({ id: "3", type: "A100" })] }),
    nodeOf({ name: "c", state: "lost", devices: [deviceOf({ id: "4" })] }),
  ];
  test.each([
    ["resources: {gpus: 1}", "2 of 3 GPUs are free, at most 1 on one node.", false],
    [
      "resources: {gpus: 2, gpu_type: H100}",
      "1 of 2 H100 GPUs is free, at most 1 on one node.",
      true,
    ],
    ["resources: {gpus: 1, gpu_type: B200}", "No node has a GPU of type B200.", true],
    ["resources: {gpus: 0.5}", "2 of 3 GPUs have 0.5 of a GPU free.", false],
    ["{}", "It asks for no GPU.", false],
  ])("%s", (text, sentence, short) => {
    expect(fitOf(askOf(specRead(text).document), nodes)[0]).toEqual({ sentence, short });
  });

  test("CPU and memory are counted by nodes that have both", () => {
    const ask = askOf(specRead("{}").document);
    const large = { resources: { cpus: 7, memory: "1GiB" } };
    expect(fitOf(ask, nodes, { resources: { cpus: 6, memory: "1GiB" } }).at(-1)).toEqual({
      sentence: "2 of 2 nodes have 6 CPU and 1 GiB free for one replica.",
      short: false,
    });
    expect(fitOf(ask, nodes, large).at(-1)).toEqual({
      sentence: "No node has 7 CPU and 1 GiB free for one replica.",
      short: true,
    });
  });

  test("instances are counted by the room for them", () => {
    const room = [
      { profile: "1g.10gb", count: 5 },
      { profile: "7g.80gb", count: 0 },
    ];
    const cut = nodeOf({ name: "d", devices: [deviceOf({ mig: true, board: "H100-80GB", room })] });
    const told = (text: string) => fitOf(askOf(specRead(text).document), [...nodes, cut])[0];
    expect(told("resources: {mig: 1g.10gb}")?.sentence).toBe(
      "There is room for 5 instances of 1g.10gb.",
    );
    expect(told("resources: {mig: 7g.80gb}")?.short).toBe(true);
    expect(told("resources: {mig: 1g.5gb}")?.sentence).toBe(
      "No GPU can have an instance of 1g.5gb now.",
    );
    expect(told("resources: {gpus: 1}")?.sentence).toMatch(/^2 of 3 GPUs/);
    expect(told("resources: {gpus: 0.1, isolation: mig}")?.sentence).toBe(
      "1 of 1 GPU in MIG mode has slices free.",
    );
  });

  test("each of unlike groups is told for itself", () => {
    const groups = [
      { name: "learner", replicas: 1, resources: { gpus: 2, cpus: 1, memory: "1GiB" } },
      { name: "actor", replicas: 4, resources: { cpus: 7, memory: "1GiB" } },
    ];
    const told = groupFits(nodes, { groups });
    expect(told.map(({ sentence }) => sentence)).toEqual([
      "learner: 2 of 3 GPUs are free, at most 1 on one node.",
      "learner: There is no room for its 2 GPUs now.",
      "learner: 2 of 2 nodes have 1 CPU and 1 GiB free for one replica.",
      "actor: It asks for no GPU.",
      "actor: No node has 7 CPU and 1 GiB free for one replica.",
    ]);
    expect(groupFits(nodes, null)).toEqual([]);
  });

  test("a gang is short where its replicas do not fit at once", () => {
    const ask = askOf(specRead("replicas: 3\nresources: {gpus: 1}\n").document);
    expect(fitOf(ask, nodes).at(-1)).toEqual({
      sentence: "It asks for 3 replicas with 1 GPU each; there is room for 2 by GPUs alone.",
      short: true,
    });
  });
});

test.each([
  ["resources.gpus", "2"],
  ["env.a.b", "x"],
  ["secrets.1", "B"],
  ["volumes.0.path", "srv"],
  ["resources.memory", "resources"],
  ["command", "name: a"],
])("%s stands at %j", (field, at) => {
  const text =
    "name: a\nresources:\n  gpus: 2\nenv: {a.b: x}\nsecrets: [A, B]\nvolumes:\n- path: srv\n";
  const [mark] = faultMarks(specRead(text).document, text, [{ field, message: "is.", remedy: "" }]);
  expect(text.slice(mark?.from, mark?.to)).toBe(at);
});

test("a fault of the whole text stands at the line that it names", () => {
  const text = "a: 1\nb: 2\n";
  const fault = { field: "", message: "The YAML is broken at line 2, column 1.", remedy: "" };
  const [mark] = faultMarks(specRead(text).document, text, [fault]);
  expect(text.slice(mark?.from, mark?.to)).toBe("b: 2");
});

test("the same text keeps its key, another gets its own", () => {
  let made = 0;
  const key = () => `k${++made}`;
  const draft = { ...draftBegin("a"), text: "b" };
  const attempt = attemptOf(draft, key);
  expect(attemptOf({ ...draft, attempt }, key)).toBe(attempt);
  expect(attemptOf({ ...draft, text: "c", attempt }, key).key).toBe("k2");
});

test("a new draft loses nothing that was written, and the way back is there", () => {
  const mine = { ...draftBegin(""), text: "name: mine" };
  const begun = draftsBegin({ current: mine, earlier: null }, draftBegin("name: hello"));
  expect(begun.earlier).toBe(mine);
  expect(draftsSwap(begun)).toEqual({ current: mine, earlier: null });
});

test("from elsewhere: the command, the file and Python", () => {
  expect(commandLine("digits")).toBe("podium submit digits.yaml");
  expect(fileName("../x")).toBe("workload.yaml");
  expect(
    pythonText({ name: "a", env: { A: true }, secrets: null, replicas: 2 }),
  ).toBe(`import podium

with podium.Client() as client:
    made = client.workloads.submit({
        "name": "a",
        "env": {"A": True},
        "secrets": None,
        "replicas": 2,
    })
    print(made.id)
`);
});

test.each(examples)("$title can be read and names its parts", ({ text }) => {
  const { broken, document } = specRead(text);
  expect(broken).toBeNull();
  expect(document.toJS()).toMatchObject({ name: expect.any(String), kind: expect.any(String) });
});
