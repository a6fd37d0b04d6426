import { autocompletion, CompletionContext } from "@codemirror/autocomplete";
import { EditorState } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { act, fireEvent, render, screen, waitFor } from "@testing-library/react";
import axe from "axe-core";
import { useState } from "react";
import { describe, expect, test } from "vitest";
import { completed } from "./completion";
import { difference } from "./follow";
import type { Mark } from "./marks";
import { nameAt, placeAt } from "./place";
import { fieldWords, type Schema } from "./schema";
import { YamlEditor } from "./YamlEditor";
import { YamlView } from "./YamlView";

const schema: Schema = {
  type: "object",
  properties: {
    name: { type: "string", description: "Its name." },
    kind: { anyOf: [{ enum: ["training", "batch"], type: "string" }, { type: "null" }] },
    retries: { type: "integer", minimum: 0, maximum: 100, examples: [2] },
    resources: { anyOf: [{ $ref: "#/$defs/Resources" }, { type: "null" }] },
    volumes: { type: "array", items: { type: "object", properties: { path: { type: "string" } } } },
    secrets: { type: "array", items: { type: "string" } },
  },
  $defs: {
    Resources: {
      type: "object",
      properties: {
        gpus: { type: "number", description: "Whole GPUs, or a share of one." },
        gpu_type: { anyOf: [{ type: "string" }, { type: "array", items: { type: "string" } }] },
      },
    },
  },
};

/** The place at the bar in a text. */
function placeOf(marked: string) {
  return placeAt(marked.replace("|", ""), marked.indexOf("|"));
}

function labelsOf(marked: string, explicit = true): string[] {
  const state = EditorState.create({
    doc: marked.replace("|", ""),
    extensions: [autocompletion()],
  });
  const context = new CompletionContext(state, marked.indexOf("|"), explicit);
  const known = { "resources.gpu_type": ["H100"], secrets: ["TOKEN"] };
  return completed(context, { schema, known })?.options.map(({ label }) => label) ?? [];
}

describe("where a position is", () => {
  test.each([
    ["na|", [], "name"],
    ["kind: tr|", ["kind"], "value"],
    ["resources:\n  gp|", ["resources"], "name"],
    ["resources:\n  gpus: 1\n\n  # more\n  gpu_type: |", ["resources", "gpu_type"], "value"],
    ["resources: {gpus: 1, gp|", ["resources"], "name"],
    ["resources: {gpu_type: [H100, H|", ["resources", "gpu_type", "*"], "value"],
    ["volumes:\n- pa|", ["volumes", "*"], "value"],
    ["volumes:\n  - name: a\n    pa|", ["volumes", "*"], "name"],
    ["resources:\n  gpus: 1\nna|", [], "name"],
  ])("%j", (text, path, kind) => {
    expect(placeOf(text)).toMatchObject({ path, kind });
  });

  test.each(["# na|", "script: ~\n# x|", "name: 'a|", "name: a # kin|"])(
    "nothing in %j",
    (text) => {
      expect(placeOf(text)).toBeNull();
    },
  );

  test("nothing within a text of many lines", () => {
    const text = "script: |\n  echo ki";
    expect(placeAt(text, text.length)).toBeNull();
  });

  test("a name under the pointer", () => {
    const text = "resources:\n  gpus: 2\n";
    expect(nameAt(text, text.indexOf("pus"))?.path).toEqual(["resources", "gpus"]);
    expect(nameAt(text, text.indexOf("2"))).toBeNull();
  });
});

describe("completion", () => {
  test("fields of the place, and values that the schema or the cluster names", () => {
    expect(labelsOf("|")).toContain("resources");
    expect(labelsOf("resources:\n  gp|", false)).toEqual(["gpus", "gpu_type"]);
    expect(labelsOf("kind: |", false)).toEqual(["training", "batch"]);
    expect(labelsOf("resources:\n  gpu_type: |", false)).toEqual(["H100"]);
    expect(labelsOf("secrets:\n  - |", false)).toEqual(["TOKEN"]);
  });

  test("an empty line offers nothing unless asked", () => {
    expect(labelsOf("name: a\n|", false)).toEqual([]);
  });
});

test("a field's words say how it is written", () => {
  expect(fieldWords(schema, ["retries"])).toEqual({
    name: "retries",
    description: "",
    written: "a number 0 to 100",
    examples: [2],
  });
});

test.each([
  ["abc", "abXc", { from: 2, to: 2, insert: "X" }],
  ["aaa", "aa", { from: 2, to: 3, insert: "" }],
  ["", "a", { from: 0, to: 0, insert: "a" }],
])("from %j to %j is one piece", (before, after, piece) => {
  expect(difference(before, after)).toEqual(piece);
});

function Page({ marks = [] }: { marks?: Mark[] }) {
  const [text, setText] = useState("name: a\n");
  return (
    <>
      <YamlEditor label="Workload in YAML" text={text} onChange={setText} marks={marks} />
      <button type="button" onClick={() => setText("name: b\n")}>
        Rename
      </button>
      <output>{text}</output>
    </>
  );
}

async function editorOpen(marks: Mark[] = []) {
  render(<Page marks={marks} />);
  const content = await screen.findByRole("textbox", { name: "Workload in YAML" });
  const view = EditorView.findFromDOM(content);
  if (!view) throw new Error("There is no editor.");
  return { content, view };
}

test("what is typed is told, and what changes outside is shown and can be undone", async () => {
  const { content, view } = await editorOpen();
  act(() => view.dispatch({ changes: { from: 6, to: 7, insert: "c" } }));
  expect(screen.getByRole("status")).toHaveTextContent("name: c");
  fireEvent.click(screen.getByRole("button", { name: "Rename" }));
  expect(view.state.doc.toString()).toBe("name: b\n");
  fireEvent.keyDown(content, { key: "z", ctrlKey: true });
  expect(screen.getByRole("status")).toHaveTextContent("name: c");
});

test("Tab indents, and after Escape it is the browser's again", async () => {
  const { content, view } = await editorOpen();
  expect(fireEvent.keyDown(content, { key: "Tab", keyCode: 9 })).toBe(false);
  expect(view.state.doc.toString()).toBe("  name: a\n");
  fireEvent.keyDown(content, { key: "Escape", keyCode: 27 });
  expect(fireEvent.keyDown(content, { key: "Tab", keyCode: 9 })).toBe(true);
  fireEvent.keyDown(content, { key: "x", keyCode: 88 });
  expect(fireEvent.keyDown(content, { key: "Tab", keyCode: 9 })).toBe(false);
});

test("marks stand at their text", async () => {
  const { content } = await editorOpen([{ from: 6, to: 7, message: "is short." }]);
  await waitFor(() => expect(content.querySelector(".cm-lintRange-error")).toHaveTextContent("a"));
});

test("the view is named, read-only, reached by keys, and without fault", async () => {
  render(
    <main>
      <YamlView label="Spec" text={"name: a\nresources:\n  gpus: 1\n"} />
    </main>,
  );
  const view = await screen.findByRole("textbox", { name: "Spec" });
  expect(view).toHaveAttribute("aria-readonly", "true");
  expect(view).toHaveAttribute("tabindex", "0");
  const { violations } = await axe.run(document.body, {
    rules: { "color-contrast": { enabled: false }, region: { enabled: false } },
  });
  expect(violations.map(({ id, nodes }) => `${id} ${nodes.map((n) => n.html)}`)).toEqual([]);
});
