import { act, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { consoleOpen, serverCreate } from "../testing/console";
import { noticeOf, noticesOf } from "../testing/documents";
import { FakeEventSource } from "../testing/eventSource";
import { noticesRead, noticesWith } from "./queries";

test("the bell counts what is unread, live, and opening it marks all as read", async () => {
  const older = noticeOf({ seq: 3, read: true, sentence: "eval succeeded.", level: "good" });
  const server = serverCreate()
    .on("GET /api/v1/notices", () => noticesOf([noticeOf({ seq: 4 }), older]))
    .on("POST /api/v1/notices/read", () => noticesOf([]));
  consoleOpen("/account");
  await screen.findByRole("button", { name: "Notifications, 1 unread notice" });
  act(() => {
    FakeEventSource.latest("/api/v1/stream").say(
      "notice",
      noticeOf({ seq: 5, sentence: "sweep started.", level: "plain" }),
    );
  });
  const bell = await screen.findByRole("button", { name: "Notifications, 2 unread notices" });
  await userEvent.click(bell);
  const rows = await screen.findAllByRole("link", { name: /started|failed|succeeded/ });
  expect(rows[0]).toHaveTextContent("sweep started.");
  expect(rows[0]).toHaveAttribute("href", "/workloads/w-1");
  expect(within(rows[1] as HTMLElement).getByRole("img", { name: "New" })).toBeVisible();
  expect(within(rows[2] as HTMLElement).queryByRole("img", { name: "New" })).toBeNull();
  await waitFor(async () =>
    expect(await server.last("POST", "/api/v1/notices/read")?.json()).toEqual({ through: 5 }),
  );
  expect(await screen.findByRole("button", { name: "Notifications" })).toBeVisible();
});

test("with nothing to tell it says what will be told", async () => {
  serverCreate();
  consoleOpen("/account");
  await userEvent.click(await screen.findByRole("button", { name: "Notifications" }));
  expect(await screen.findByText(/When a workload of yours starts, ends or fails/)).toBeVisible();
});

test("a notice told twice counts once, and what was read is read", () => {
  const held = noticesOf([noticeOf({ seq: 1 })]);
  const next = noticesWith(noticesWith(held, noticeOf({ seq: 2 })), noticeOf({ seq: 2 }));
  expect(next.items.map(({ seq }) => seq)).toEqual([2, 1]);
  expect(next.unread).toBe(2);
  expect(noticesRead(next, 1).unread).toBe(1);
});
