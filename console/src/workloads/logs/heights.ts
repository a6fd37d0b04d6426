/** How high lines are and where each one stands, in rows of text. LogView asks it. */
import type { HeldLine, LogBuffer } from "./lines";

export class Heights {
  /** Rows up to and with each line. */
  private ends = new Int32Array(1024);
  private count = 0;
  private first = 0;
  private columns = 0;
  /** What the screen says of lines whose letters are not all equally wide, by their number. */
  private readonly seen = new Map<number, number>();
  /** Columns of the longest line that was ever here. */
  widest = 0;

  /** Makes it true for what is in the buffer now; `columns` is 0 where lines are not wrapped. */
  follow(buffer: LogBuffer, columns: number): void {
    if (columns !== this.columns) this.seen.clear();
    const kept = columns === this.columns && buffer.first === this.first;
    if (!kept || buffer.lines.length < this.count) this.count = 0;
    this.first = buffer.first;
    this.columns = columns;
    this.reserve(buffer.lines.length);
    let end = this.top(this.count);
    for (let at = this.count; at < buffer.lines.length; at += 1) {
      const line = buffer.lines[at];
      if (!line) break;
      if (line.columns > this.widest) this.widest = line.columns;
      end += this.rowsOf(line, this.first + at);
      this.ends[at] = end;
    }
    this.count = buffer.lines.length;
  }

  get rows(): number {
    return this.top(this.count);
  }

  /** Rows above the line. */
  top(index: number): number {
    return index > 0 ? (this.ends[Math.min(index, this.count) - 1] ?? 0) : 0;
  }

  height(index: number): number {
    return this.top(index + 1) - this.top(index);
  }

  /** The line that covers the row. */
  at(row: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.ends[middle] ?? 0) <= row) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, Math.min(low, this.count - 1));
  }

  /** The screen knows better. Tells whether that changes anything. */
  correct(index: number, rows: number): boolean {
    const off = rows - this.height(index);
    if (off === 0 || rows < 1) return false;
    this.seen.set(this.first + index, rows);
    for (let at = index; at < this.count; at += 1) this.ends[at] = (this.ends[at] ?? 0) + off;
    return true;
  }

  private rowsOf(line: HeldLine, number: number): number {
    if (this.columns === 0) return 1;
    return this.seen.get(number) ?? Math.max(1, Math.ceil(line.columns / this.columns));
  }

  private reserve(count: number): void {
    if (count <= this.ends.length) return;
    const more = new Int32Array(Math.max(count, this.ends.length * 2));
    more.set(this.ends.subarray(0, this.count));
    this.ends = more;
  }
}
