import { act, render } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FakeEventSource } from "../testing/eventSource";
import { feed, HIDDEN_MS } from "./feed";
import { useTopic } from "./useTopic";

let stop = () => {};

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("EventSource", FakeEventSource);
  FakeEventSource.opened = [];
});

afterEach(() => {
  stop();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function start(project?: string) {
  const onLost = vi.fn();
  stop = feed.start({ project, timeZone: "Europe/Berlin" }, onLost);
  return onLost;
}

function topicsOf(url: string): string[] {
  return new URL(url, "http://here").searchParams.getAll("topic");
}

function Listening({
  topic,
  heard,
  onResync,
}: {
  topic: "overview" | "nodes" | "workloads";
  heard?: unknown[];
  onResync?: () => void;
}) {
  useTopic(topic, {
    onEvent: (news) => heard?.push(news),
    onResync: () => onResync?.(),
  });
  return null;
}

test("one connection carries all topics, and grows when a page listens to more", () => {
  start("vision");
  expect(topicsOf(FakeEventSource.latest().url)).toEqual(["workloads", "notices"]);
  const first = FakeEventSource.latest();
  first.open();
  first.say("heartbeat", {}, "41.7");
  const heard: unknown[] = [];
  render(
    <>
      <Listening topic="nodes" />
      <Listening topic="overview" heard={heard} />
    </>,
  );
  vi.advanceTimersByTime(100);
  expect(FakeEventSource.opened).toHaveLength(2);
  const second = FakeEventSource.latest();
  const asked = new URL(second.url, "http://here").searchParams;
  expect(asked.getAll("topic")).toEqual(["workloads", "notices", "nodes", "overview"]);
  expect(asked.get("after")).toBe("41.7");
  expect(asked.get("project")).toBe("vision");
  expect(asked.get("time_zone")).toBe("Europe/Berlin");

  // What is open goes on until its successor is, so that nothing falls between the two.
  expect(first.readyState).toBe(first.OPEN);
  second.open();
  expect(first.readyState).toBe(first.CLOSED);
  second.say("overview", { at: "now" });
  expect(heard).toEqual([{ at: "now" }]);
});

test("what nobody listens to any more is dropped, but not at once", () => {
  start();
  const { unmount } = render(<Listening topic="nodes" />);
  vi.advanceTimersByTime(100);
  FakeEventSource.latest().open();
  unmount();
  vi.advanceTimersByTime(1_000);
  expect(FakeEventSource.opened).toHaveLength(2);
  vi.advanceTimersByTime(10_000);
  expect(topicsOf(FakeEventSource.latest().url)).toEqual(["workloads", "notices"]);
});

test("changes that are caught up on are not read again, everything else is", () => {
  start();
  const workloads = vi.fn();
  const nodes = vi.fn();
  render(
    <>
      <Listening topic="workloads" onResync={workloads} />
      <Listening topic="nodes" onResync={nodes} />
    </>,
  );
  vi.advanceTimersByTime(100);
  FakeEventSource.latest().open();
  expect(workloads).toHaveBeenCalledTimes(1);
  expect(nodes).toHaveBeenCalledTimes(1);
  FakeEventSource.latest().say("change", {}, "7");
  FakeEventSource.latest().lose();
  FakeEventSource.latest().open();
  expect(workloads).toHaveBeenCalledTimes(1);
  expect(nodes).toHaveBeenCalledTimes(2);
  FakeEventSource.latest().say("resync", {});
  expect(workloads).toHaveBeenCalledTimes(2);
});

test("what one project's feed did not tell is read again when all are told of", () => {
  start("vision");
  const workloads = vi.fn();
  render(<Listening topic="workloads" onResync={workloads} />);
  const overview = render(<Listening topic="overview" />);
  vi.advanceTimersByTime(100);
  FakeEventSource.latest().open();
  FakeEventSource.latest().say("heartbeat", {}, "7.0");
  expect(workloads).toHaveBeenCalledTimes(1);
  overview.unmount();
  vi.advanceTimersByTime(10_000);
  expect(FakeEventSource.latest().url).not.toContain("project");
  FakeEventSource.latest().open();
  expect(workloads).toHaveBeenCalledTimes(2);
});

test("a hidden tab lets go of its connection after a minute and goes on when it is seen", () => {
  start();
  const first = FakeEventSource.latest();
  first.open();
  first.say("change", {}, "12");
  const hidden = vi.spyOn(document, "hidden", "get").mockReturnValue(true);
  act(() => void document.dispatchEvent(new Event("visibilitychange")));
  for (let at = 0; at < HIDDEN_MS; at += 10_000) {
    first.say("heartbeat", {});
    vi.advanceTimersByTime(10_000);
  }
  expect(first.readyState).toBe(first.CLOSED);
  vi.advanceTimersByTime(600_000);
  expect(FakeEventSource.opened).toHaveLength(1);
  hidden.mockReturnValue(false);
  act(() => void document.dispatchEvent(new Event("visibilitychange")));
  expect(FakeEventSource.opened).toHaveLength(2);
  expect(FakeEventSource.latest().url).toContain("after=12");
});
