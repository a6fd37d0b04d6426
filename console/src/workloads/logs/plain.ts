/** A line as a terminal would leave it standing: no colour codes, and of a redrawn line its end. */
const ESCAPE = String.fromCharCode(27);
const codes = new RegExp(`${ESCAPE}\\[[0-9;?]*[A-Za-z]`, "g");

export function plain(text: string): string {
  const bare = text.includes(ESCAPE) ? text.replace(codes, "") : text;
  if (!bare.includes("\r")) return bare;
  return bare.split("\r").findLast((each) => each !== "") ?? "";
}
