/** What a field means, drawn for a tooltip: sentence, how it is written, examples. */
import { stringify } from "yaml";
import type { FieldWords } from "./schema";

export function wordsDraw({ name, description, written, examples }: FieldWords): HTMLElement {
  const words = document.createElement("div");
  words.className = "cm-podiumWords";
  words.append(paragraph(description || name));
  if (written) words.append(paragraph(`Written as ${written}.`, "cm-podiumNote"));
  if (examples.length > 0) {
    const line = paragraph("For example ", "cm-podiumNote");
    examples.forEach((example, at) => {
      if (at > 0) line.append(", ");
      const code = document.createElement("code");
      code.textContent = stringify(example, { collectionStyle: "flow", lineWidth: 0 }).trim();
      line.append(code);
    });
    words.append(line);
  }
  return words;
}

function paragraph(text: string, className = ""): HTMLElement {
  const made = document.createElement("p");
  made.className = className;
  made.textContent = text;
  return made;
}
