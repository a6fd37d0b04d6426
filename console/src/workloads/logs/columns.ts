/** How many columns of a terminal a text takes; wrapping lines is reckoned with it. */
const SIMPLE = /^[\x20-\x7e]*$/;
const TAB_COLUMNS = 8;

/** Whether each letter takes exactly one column, so that the reckoning needs no look at the screen. */
export function isSimple(text: string): boolean {
  return SIMPLE.test(text);
}

export function columnsOf(text: string): number {
  if (SIMPLE.test(text)) return text.length;
  let columns = 0;
  for (const letter of text) {
    const code = letter.codePointAt(0) ?? 0;
    if (code === 9) columns += TAB_COLUMNS - (columns % TAB_COLUMNS);
    else columns += isWide(code) ? 2 : isMark(code) ? 0 : 1;
  }
  return columns;
}

function isWide(code: number): boolean {
  return (
    (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0xa4cf) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff00 && code <= 0xff60) ||
    (code >= 0x1f300 && code <= 0x1faff) ||
    (code >= 0x20000 && code <= 0x3fffd)
  );
}

function isMark(code: number): boolean {
  return (code >= 0x300 && code <= 0x36f) || (code >= 0x200b && code <= 0x200f) || code === 0xfe0f;
}
