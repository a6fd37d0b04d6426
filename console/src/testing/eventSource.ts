/** An event source that a test speaks through, in place of the browser's. */
export class FakeEventSource extends EventTarget {
  static opened: FakeEventSource[] = [];
  readonly CONNECTING = 0;
  readonly OPEN = 1;
  readonly CLOSED = 2;
  readyState = 0;
  onopen: (() => void) | null = null;
  onerror: (() => void) | null = null;

  constructor(readonly url: string) {
    super();
    FakeEventSource.opened.push(this);
  }

  /** The latest one whose address contains `part`. */
  static latest(part = ""): FakeEventSource {
    const found = FakeEventSource.opened.findLast((each) => each.url.includes(part));
    if (!found) throw new Error(`No event source for ${part} was opened.`);
    return found;
  }

  open(): void {
    this.readyState = this.OPEN;
    this.onopen?.();
  }

  /** Lost; the browser tries again by itself unless `closed`. */
  lose({ closed = false } = {}): void {
    this.readyState = closed ? this.CLOSED : this.CONNECTING;
    this.onerror?.();
  }

  say(name: string, data: unknown, lastEventId = ""): void {
    this.dispatchEvent(new MessageEvent(name, { data: JSON.stringify(data), lastEventId }));
  }

  close(): void {
    this.readyState = this.CLOSED;
  }
}
