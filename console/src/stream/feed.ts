/**
 * The one live feed of the console: a single connection for every topic that something on the
 * screen listens to. The frame starts it, `useTopic` listens.
 */
import { statusSet } from "./status";
import { Stream } from "./stream";
import { type Listener, type Topic, topicEvents, topics } from "./topics";

/** What the feed is about, beside its topics. */
export interface FeedScope {
  project: string | undefined;
  timeZone: string;
}

/** These cost little and matter on every page. */
const always: readonly Topic[] = ["workloads", "notices"];
/** A page that opens listens to several things at once; one connection is made for all. */
const GROW_MS = 50;
/** Who leaves a page is often back soon; what nobody listens to is dropped later. */
const SHRINK_MS = 5_000;
/** Browsers allow few connections to one host, and a hidden tab needs none. */
export const HIDDEN_MS = 60_000;

class Feed {
  private readonly listeners = new Map<Topic, Set<Listener>>();
  private stream: Stream | null = null;
  private scope: FeedScope = { project: undefined, timeZone: "UTC" };
  private onLost: () => void = () => {};
  /** The address of the connection that is open or opening, without where it begins. */
  private asked = "";
  /** The one project whose changes the last connection told of; null if it told of all. */
  private openedProject: string | null = null;
  private changeTimer: ReturnType<typeof setTimeout> | undefined;
  private hiddenTimer: ReturnType<typeof setTimeout> | undefined;
  private asleep = false;

  start(scope: FeedScope, onLost: () => void): () => void {
    this.scope = scope;
    this.onLost = onLost;
    this.openedProject = null;
    this.stream = this.streamCreate();
    this.asked = this.query();
    this.stream.start();
    document.addEventListener("visibilitychange", this.visibilityChanged);
    return () => this.stop();
  }

  /** Takes effect soon. */
  scopeSet(scope: FeedScope): void {
    this.scope = scope;
    this.changeSoon(GROW_MS);
  }

  listen(topic: Topic, listener: Listener): () => void {
    const held = this.listeners.get(topic) ?? new Set();
    this.listeners.set(topic, held.add(listener));
    this.changeSoon(GROW_MS);
    return () => {
      held.delete(listener);
      this.changeSoon(SHRINK_MS);
    };
  }

  /** Tries again now, for who does not want to wait. */
  readonly retry = (): void => this.stream?.reopen();

  private stop(): void {
    clearTimeout(this.changeTimer);
    clearTimeout(this.hiddenTimer);
    this.changeTimer = undefined;
    this.asleep = false;
    document.removeEventListener("visibilitychange", this.visibilityChanged);
    this.stream?.stop();
    this.stream = null;
  }

  private streamCreate(): Stream {
    const events: Record<string, (data: unknown) => void> = {
      resync: () => {
        this.resync("workloads");
        this.resync("notices");
      },
    };
    for (const topic of topics) {
      events[topicEvents[topic]] = (data) => {
        for (const each of this.listeners.get(topic) ?? []) each.onEvent(data);
      };
    }
    return new Stream({
      url: (after) => {
        const place = after ? `&after=${encodeURIComponent(after)}` : "";
        return `/api/v1/stream?${this.asked}${place}`;
      },
      events,
      onStatus: statusSet,
      onOpen: (resumed) => this.opened(resumed),
      onLost: () => this.onLost(),
    });
  }

  /**
   * Changes and notices are numbered, and what was missed of them is told first. An overview begins
   * each connection. Only of nodes nobody says what was missed.
   */
  private opened(resumed: boolean): void {
    const before = this.openedProject;
    this.openedProject = new URLSearchParams(this.asked).get("project");
    const narrowed = before !== null && before !== this.openedProject;
    if (!resumed || narrowed) this.resync("workloads");
    if (!resumed) this.resync("notices");
    this.resync("nodes");
  }

  private resync(topic: Topic): void {
    for (const each of this.listeners.get(topic) ?? []) each.onResync?.();
  }

  private changeSoon(afterMs: number): void {
    if (!this.stream || this.asleep) return;
    clearTimeout(this.changeTimer);
    this.changeTimer = setTimeout(() => this.changeNow(), afterMs);
  }

  private changeNow(): void {
    const query = this.query();
    if (!this.stream || query === this.asked) return;
    this.asked = query;
    this.stream.reopen();
  }

  private query(): string {
    const wanted = topics.filter(
      (topic) => always.includes(topic) || (this.listeners.get(topic)?.size ?? 0) > 0,
    );
    const query = new URLSearchParams(wanted.map((topic) => ["topic", topic]));
    // Only the overview is about one project and about somebody's days.
    if (wanted.includes("overview")) {
      if (this.scope.project) query.set("project", this.scope.project);
      query.set("time_zone", this.scope.timeZone);
    }
    return query.toString();
  }

  private readonly visibilityChanged = (): void => {
    clearTimeout(this.hiddenTimer);
    if (document.hidden) {
      this.hiddenTimer = setTimeout(() => {
        this.asleep = true;
        this.stream?.stop();
      }, HIDDEN_MS);
    } else if (this.asleep) {
      this.asleep = false;
      this.asked = this.query();
      this.stream?.start();
    }
  };
}

export const feed = new Feed();
