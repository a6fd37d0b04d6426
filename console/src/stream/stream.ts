/** A server-sent event stream that never gives up. The one live feed and the logs use it. */

export type Phase = "connecting" | "live" | "delayed" | "disconnected";

export interface StreamStatus {
  phase: Phase;
  /** When this phase's story began, in milliseconds since 1970. */
  sinceMs: number;
}

export interface StreamOptions {
  /** The address to open; `after` is the id of the last event heard, if any. */
  url: (after: string | null) => string;
  /** What to do with each named event. Data arrives parsed from JSON. */
  events: Record<string, (data: unknown, stream: Stream) => void>;
  onStatus?: (status: StreamStatus) => void;
  /**
   * Called each time that the stream opens. `resumed` says that it goes on after the last numbered
   * event; otherwise events before this moment may have been missed.
   */
  onOpen?: (resumed: boolean) => void;
  /** Called each time that the connection is lost. */
  onLost?: () => void;
  open?: (url: string) => EventSource;
}

/** A short gap is no news: it is said as "delayed" first. */
export const DISCONNECTED_AFTER_MS = 10_000;
/** The server says something every 10 s; a line this silent is dead, though nobody closed it. */
export const SILENT_AFTER_MS = 25_000;
const RETRY_FIRST_MS = 1_000;
const RETRY_MAX_MS = 15_000;

export class Stream {
  private source: EventSource | null = null;
  /** Still read while its successor opens, so that nothing falls between the two. */
  private outgoing: EventSource | null = null;
  private lastId: string | null = null;
  private lostAtMs: number | null = null;
  private retryMs = RETRY_FIRST_MS;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private saidLostTimer: ReturnType<typeof setTimeout> | undefined;
  private heardAtMs = 0;
  private silenceTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly options: StreamOptions) {}

  start(): void {
    this.say("connecting", Date.now());
    window.addEventListener("online", this.connect);
    this.connect();
  }

  /** Opens it again now, at the address as it is now. What is open is heard until then. */
  readonly reopen = (): void => {
    this.outgoing?.close();
    this.outgoing = this.source?.readyState === this.source?.OPEN ? this.source : null;
    if (this.outgoing) this.source = null;
    this.connect();
  };

  stop(): void {
    this.outgoing?.close();
    this.outgoing = null;
    this.lostAtMs = null;
    window.removeEventListener("online", this.connect);
    clearTimeout(this.retryTimer);
    clearTimeout(this.saidLostTimer);
    clearTimeout(this.silenceTimer);
    this.source?.close();
    this.source = null;
  }

  private readonly connect = (): void => {
    clearTimeout(this.retryTimer);
    this.source?.close();
    const open = this.options.open ?? ((url: string) => new EventSource(url));
    const after = this.lastId;
    const source = open(this.options.url(after));
    source.onopen = () => this.opened(after !== null || this.lastId !== null);
    source.onerror = () => {
      if (source === this.source) this.lost(source);
    };
    // The first heartbeat of some streams says where they begin.
    source.addEventListener("heartbeat", (event: MessageEvent<string>) => this.heard(event));
    for (const [name, hear] of Object.entries(this.options.events)) {
      source.addEventListener(name, (event: MessageEvent<string>) => {
        this.heard(event);
        hear(event.data ? JSON.parse(event.data) : null, this);
      });
    }
    this.source = source;
    this.heard();
    this.silenceWatch();
  };

  private heard(event?: MessageEvent<string>): void {
    this.heardAtMs = Date.now();
    if (event?.lastEventId) this.lastId = event.lastEventId;
  }

  /** One timer that looks again, so that a thousand events a second set none. */
  private readonly silenceWatch = (): void => {
    clearTimeout(this.silenceTimer);
    const leftMs = this.heardAtMs + SILENT_AFTER_MS - Date.now();
    if (leftMs > 0) {
      this.silenceTimer = setTimeout(this.silenceWatch, leftMs);
      return;
    }
    this.sayLost(this.heardAtMs);
    this.connect();
  };

  private opened(resumed: boolean): void {
    this.heard();
    this.outgoing?.close();
    this.outgoing = null;
    clearTimeout(this.saidLostTimer);
    this.lostAtMs = null;
    this.retryMs = RETRY_FIRST_MS;
    this.say("live", Date.now());
    this.options.onOpen?.(resumed);
  }

  private lost(source: EventSource): void {
    this.heard();
    this.sayLost(Date.now());
    // The browser tries again by itself unless the answer was an error; then it is up to us.
    if (source.readyState !== source.CLOSED) return;
    clearTimeout(this.retryTimer);
    this.retryTimer = setTimeout(this.connect, this.retryMs);
    this.retryMs = Math.min(this.retryMs * 2, RETRY_MAX_MS);
  }

  private sayLost(lostAtMs: number): void {
    if (this.lostAtMs === null) {
      this.lostAtMs = lostAtMs;
      this.say("delayed", lostAtMs);
      this.saidLostTimer = setTimeout(
        () => this.say("disconnected", lostAtMs),
        DISCONNECTED_AFTER_MS,
      );
    }
    this.options.onLost?.();
  }

  private say(phase: Phase, sinceMs: number): void {
    this.options.onStatus?.({ phase, sinceMs });
  }
}
