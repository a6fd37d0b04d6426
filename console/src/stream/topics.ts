/** What the live feed can tell of, and what arrives for each. */
import type { Change, Notice, Overview } from "../api/types";

export interface TopicNews {
  /** A workload changed. */
  workloads: Change;
  /** Something happened to one's own work. */
  notices: Notice;
  /** Nodes or what they hold changed; says no more than that, at most once a second. */
  nodes: Record<string, never>;
  /** The overview of the project in the address, at most once a second. */
  overview: Overview;
}

export type Topic = keyof TopicNews;

export const topics: readonly Topic[] = ["workloads", "notices", "nodes", "overview"];

/** The event that carries each topic's news. */
export const topicEvents: Record<Topic, string> = {
  workloads: "change",
  notices: "notice",
  nodes: "nodes",
  overview: "overview",
};

export interface TopicHandler<News> {
  onEvent: (news: News) => void;
  /** News may have been missed: read again what was made of them. */
  onResync?: () => void;
}

/** A listener as the feed keeps it; what it takes has the shape of its topic's news. */
export type Listener = TopicHandler<unknown>;
