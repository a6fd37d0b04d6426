/**
 * One reader of a log: follows its end, reads back from it, or looks at a stretch in its midst.
 * What it holds is bounded; useLogs draws it.
 */
import { type Phase, Stream } from "../../stream/stream";
import {
  type HeldLine,
  isAt,
  LINES_MAX,
  LogBuffer,
  lineHeld,
  placeOf,
  type SentLine,
} from "./lines";
import { type LogOf, logAddress, logPageFetch, type PageQuery } from "./queries";

/** With how many lines it begins, and how many it reads at a time. */
const PAGE_LINES = 5_000;
/** New lines are drawn this often at most. */
const GATHER_MS = 50;

export interface LogStatus {
  phase: Phase | "ended";
  /** The end of the log is not among the lines: what is written now does not show. */
  apart: boolean;
  /** There are, or may be, lines before the first. */
  more: boolean;
  reading: boolean;
  error: Error | null;
}

export class LogSession {
  readonly buffer = new LogBuffer();
  status: LogStatus = {
    phase: "connecting",
    apart: false,
    more: false,
    reading: false,
    error: null,
  };
  /** Gets every line that is put in at the end while following. */
  onWritten: (lines: readonly HeldLine[]) => void = () => {};
  private readonly listeners = new Set<() => void>();
  private stream: Stream | null = null;
  /** From where earlier and later lines are read; undefined where a line at the edge must say. */
  private older: string | null | undefined = null;
  private newer: string | undefined;
  private following = true;
  private gathered: HeldLine[] = [];
  private anew = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** Answers to what was asked before the last move are of no use. */
  private asked = new AbortController();

  constructor(private readonly log: LogOf) {}

  /** Begins at the end, or around `place`. */
  start(place: string | null): void {
    if (place !== null) void this.goTo(place);
    else this.latest();
  }

  stop(): void {
    this.asked.abort();
    this.streamStop();
  }

  /** Whether the reader is at the end; one who is not keeps the lines that are looked at. */
  followingSet(following: boolean): void {
    this.following = following;
  }

  /** Shows the end, and follows it where it is of an attempt that may go on. */
  latest(): void {
    this.move();
    if (this.log.attempt === null) this.follow(null);
    else
      void this.read({}, (page) => this.refill(page.items, page.older ?? null, page.newer, true));
  }

  /** Shows the lines around `place`. */
  async goTo(place: string): Promise<void> {
    this.move();
    await this.read({ around: place }, (page) => {
      this.refill(page.items, page.older ?? null, page.newer, page.at_end);
      if (page.at_end && this.log.attempt === null) this.follow(page.newer);
    });
  }

  /** Reads what is before the first line, unless it is being read. */
  loadOlder(): void {
    const first = this.buffer.lines[0];
    if (this.status.reading || !this.status.more || !first) return;
    const known = this.older;
    const query = known ? { before: known } : { around: placeOf(first), limit: 2 * PAGE_LINES };
    void this.read(query, (page) => {
      const at = known ? -1 : page.items.findIndex((each) => isAt(lineHeld(each), first));
      const lines = (at < 0 ? page.items : page.items.slice(0, at)).map(lineHeld);
      const gone = this.buffer.prepend(lines);
      this.older = page.older;
      if (gone > 0) {
        this.streamStop();
        this.newer = undefined;
      }
      this.say({ more: page.older !== null, apart: this.status.apart || gone > 0 });
    });
  }

  /** Reads what comes after the last line, where the end is not shown. */
  loadNewer(): void {
    const last = this.buffer.lines.at(-1);
    if (this.status.reading || !this.status.apart || !last) return;
    const known = this.newer;
    const query =
      known !== undefined ? { after: known } : { around: placeOf(last), limit: 2 * PAGE_LINES };
    void this.read(query, (page) => {
      const at =
        known !== undefined ? -1 : page.items.findIndex((each) => isAt(lineHeld(each), last));
      this.put(page.items.slice(at + 1).map(lineHeld));
      this.newer = page.newer;
      this.say({ apart: !page.at_end });
      if (page.at_end && this.log.attempt === null) this.follow(page.newer);
    });
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly snapshot = (): LogStatus => this.status;

  /** Another stretch of the log is wanted: nothing that was under way counts any more. */
  private move(): void {
    this.asked.abort();
    this.asked = new AbortController();
    this.streamStop();
    this.say({ reading: false, error: null });
  }

  private follow(after: string | null): void {
    this.newer = undefined;
    this.stream = new Stream({
      url: (heard) => {
        const from = heard ?? after;
        return logAddress(this.log, {
          follow: true,
          ...(from ? { after: from } : { last: PAGE_LINES }),
        });
      },
      events: {
        // From the beginning of what it says, the lines of before are said again.
        begin: (data) => {
          this.gathered = [];
          this.anew = true;
          this.older = (data as { older: string | null }).older;
          this.flushSoon();
        },
        lines: (data) => {
          for (const line of data as SentLine[]) this.gathered.push(lineHeld(line));
          this.flushSoon();
        },
        end: () => {
          this.flush();
          this.streamStop();
          this.say({ phase: "ended" });
        },
      },
      onStatus: ({ phase }) => this.say({ phase }),
    });
    this.say({ apart: false });
    this.stream.start();
  }

  private streamStop(): void {
    this.stream?.stop();
    this.stream = null;
    clearTimeout(this.timer);
    this.timer = undefined;
    this.gathered = [];
    this.anew = false;
  }

  private flushSoon(): void {
    this.timer ??= setTimeout(() => this.flush(), GATHER_MS);
  }

  private flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const lines = this.gathered;
    this.gathered = [];
    if (this.anew) {
      this.anew = false;
      this.buffer.replace(lines);
      this.onWritten(lines);
      this.say({ more: this.older !== null });
    } else if (lines.length > 0) {
      if (!this.following && this.buffer.lines.length + lines.length > LINES_MAX) {
        // There is no room for more without taking away what is looked at.
        this.streamStop();
        this.say({ apart: true });
        return;
      }
      this.put(lines);
      this.onWritten(lines);
    }
  }

  private put(lines: readonly HeldLine[]): void {
    if (this.buffer.append(lines) === 0) return;
    this.older = undefined;
    this.say({ more: true });
  }

  private refill(
    items: readonly SentLine[],
    older: string | null,
    newer: string,
    atEnd: boolean,
  ): void {
    this.buffer.replace(items.map(lineHeld));
    this.older = older;
    this.newer = newer;
    this.say({
      more: older !== null,
      apart: !atEnd,
      ...(this.stream === null && { phase: "ended" as const }),
    });
  }

  private async read(
    query: Omit<PageQuery, "limit"> & { limit?: number },
    use: (page: Awaited<ReturnType<typeof logPageFetch>>) => void,
  ): Promise<void> {
    const { signal } = this.asked;
    this.say({ reading: true, error: null });
    try {
      const page = await logPageFetch(this.log, { limit: PAGE_LINES, ...query }, signal);
      if (signal.aborted) return;
      this.say({ reading: false });
      use(page);
    } catch (error) {
      if (!signal.aborted) this.say({ reading: false, error: error as Error });
    }
  }

  private say(change: Partial<LogStatus>): void {
    this.status = { ...this.status, ...change };
    for (const each of this.listeners) each();
  }
}

/** Lines in the order in which a log shows them. */
export function inOrder(a: HeldLine, b: HeldLine): number {
  return (
    (a.at ?? 0) - (b.at ?? 0) || a.rank - b.rank || a.attempt - b.attempt || a.offset - b.offset
  );
}
