import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { FakeEventSource } from "../testing/eventSource";
import { DISCONNECTED_AFTER_MS, SILENT_AFTER_MS, Stream, type StreamStatus } from "./stream";

function streamOf(heard: unknown[] = []) {
  const told: StreamStatus[] = [];
  const onOpen = vi.fn();
  const onLost = vi.fn();
  const stream = new Stream({
    url: (after) => `/stream?after=${after ?? ""}`,
    events: { change: (data) => heard.push(data) },
    onStatus: (status) => told.push(status),
    onOpen,
    onLost,
    open: (url) => new FakeEventSource(url) as unknown as EventSource,
  });
  stream.start();
  return { stream, told, onOpen, onLost, phase: () => told.at(-1)?.phase };
}

describe("a stream", () => {
  beforeEach(() => {
    vi.useFakeTimers();
    FakeEventSource.opened = [];
  });
  afterEach(() => vi.useRealTimers());

  test("is live once it is open, and hands on what it hears", () => {
    const heard: unknown[] = [];
    const { phase, onOpen } = streamOf(heard);
    expect(phase()).toBe("connecting");
    FakeEventSource.latest().open();
    FakeEventSource.latest().say("change", { a: 1 });
    expect(phase()).toBe("live");
    expect(onOpen).toHaveBeenCalledOnce();
    expect(heard).toEqual([{ a: 1 }]);
  });

  test("that is lost is delayed first, disconnected later, both since the loss", () => {
    const { told, phase } = streamOf();
    FakeEventSource.latest().open();
    FakeEventSource.latest().lose();
    const lostAtMs = Date.now();
    expect(phase()).toBe("delayed");
    vi.advanceTimersByTime(DISCONNECTED_AFTER_MS);
    expect(told.at(-1)).toEqual({ phase: "disconnected", sinceMs: lostAtMs });
    FakeEventSource.latest().open();
    expect(phase()).toBe("live");
  });

  test("leaves trying again to the browser while that still tries", () => {
    const { onLost } = streamOf();
    FakeEventSource.latest().lose();
    vi.advanceTimersByTime(SILENT_AFTER_MS - 1);
    expect(FakeEventSource.opened).toHaveLength(1);
    expect(onLost).toHaveBeenCalledOnce();
  });

  test("that the browser gave up is opened again after what was heard last, ever more slowly", () => {
    streamOf();
    FakeEventSource.latest().open();
    FakeEventSource.latest().say("change", {}, "41");
    FakeEventSource.latest().lose({ closed: true });
    vi.advanceTimersByTime(1_000);
    expect(FakeEventSource.latest().url).toBe("/stream?after=41");
    FakeEventSource.latest().lose({ closed: true });
    vi.advanceTimersByTime(1_000);
    expect(FakeEventSource.opened).toHaveLength(2);
    vi.advanceTimersByTime(1_000);
    expect(FakeEventSource.opened).toHaveLength(3);
  });

  test("that falls silent while open is delayed since it was heard last, and opened again", () => {
    const { told, phase } = streamOf();
    const first = FakeEventSource.latest();
    first.open();
    vi.advanceTimersByTime(20_000);
    first.say("heartbeat", {});
    const heardAtMs = Date.now();
    vi.advanceTimersByTime(SILENT_AFTER_MS - 1);
    expect(phase()).toBe("live");
    vi.advanceTimersByTime(1);
    expect(told.at(-1)).toEqual({ phase: "delayed", sinceMs: heardAtMs });
    expect(first.readyState).toBe(first.CLOSED);
    FakeEventSource.latest().open();
    expect(FakeEventSource.opened).toHaveLength(2);
    expect(phase()).toBe("live");
  });

  test("whose opening never answers is opened again", () => {
    streamOf();
    vi.advanceTimersByTime(2 * SILENT_AFTER_MS);
    expect(FakeEventSource.opened).toHaveLength(3);
  });

  test("that was stopped opens nothing any more", () => {
    const { stream } = streamOf();
    FakeEventSource.latest().lose({ closed: true });
    stream.stop();
    vi.advanceTimersByTime(60_000);
    expect(FakeEventSource.opened).toHaveLength(1);
  });
});
