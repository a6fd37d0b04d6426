import { MantineProvider } from "@mantine/core";
import { fireEvent, render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import axe from "axe-core";
import type { ReactNode } from "react";
import { expect, test, vi } from "vitest";
import { formats } from "./formats";
import { RangePicker } from "./RangePicker";
import { TimeChart, type TimeChartProps } from "./TimeChart";

const START = Date.parse("2026-03-01T09:00:00Z");
const MINUTE = 60_000;

function show(node: ReactNode) {
  return render(<MantineProvider env="test">{node}</MantineProvider>);
}

const given: TimeChartProps = {
  label: "GPUs kept busy",
  from: START,
  to: START + 3 * MINUTE,
  format: formats.gpus,
  series: [
    {
      id: "rank-0",
      name: "Rank 0",
      points: [1, 2, 3, 4].map((value, at) => ({ at: START + at * MINUTE, value })),
    },
    {
      id: "rank-1",
      name: "Rank 1",
      points: [2, 2, null, 1].map((value, at) => ({ at: START + at * MINUTE, value })),
    },
  ],
};

test("a chart says in a table what it draws", () => {
  show(<TimeChart {...given} limit={6} />);
  const table = screen.getByRole("table", { name: "GPUs kept busy, limit 6 GPUs" });
  const row = within(table).getByRole("row", { name: /Rank 0/ });
  expect(row).toHaveTextContent("Rank 04 GPUs1 GPU4 GPUs");
  expect(screen.getAllByText("limit 6 GPUs").length).toBeGreaterThan(0);
});

test("a limit far above everything is told and leaves the lines their room", () => {
  show(<TimeChart {...given} limit={400} />);
  expect(screen.getByText("limit 400 GPUs")).toBeVisible();
  expect(screen.queryByText("300")).toBeNull();
});

test("arrow keys read it time by time, and leave gaps out", () => {
  show(<TimeChart {...given} />);
  const reader = screen.getByRole("slider", { name: "GPUs kept busy, read by time" });
  expect(reader).toHaveAttribute("aria-valuetext", "No time is chosen.");
  reader.focus();
  fireEvent.keyDown(reader, { key: "Home" });
  expect(reader.getAttribute("aria-valuetext")).toContain("Rank 1 2 GPUs, Rank 0 1 GPU");
  fireEvent.keyDown(reader, { key: "ArrowRight" });
  fireEvent.keyDown(reader, { key: "ArrowRight" });
  expect(reader.getAttribute("aria-valuetext")).toMatch(/09:02:00: Rank 0 3 GPUs$/);
  fireEvent.keyDown(reader, { key: "Escape" });
  expect(reader).toHaveAttribute("aria-valuetext", "No time is chosen.");
});

test("charts of one group look at the same time", () => {
  show(
    <>
      <TimeChart {...given} group="g" />
      <TimeChart {...given} label="Memory" group="g" />
    </>,
  );
  const [first, second] = screen.getAllByRole("slider");
  if (!first) throw new Error("No chart.");
  fireEvent.keyDown(first, { key: "End" });
  expect(second?.getAttribute("aria-valuetext")).toContain("09:03:00");
});

test("dragging selects a range, a click does not", () => {
  const onRange = vi.fn();
  show(<TimeChart {...given} onRange={onRange} />);
  const reader = screen.getByRole("slider");
  // jsdom has no pointer events; a mouse's say where it is, too.
  vi.stubGlobal("PointerEvent", MouseEvent);
  reader.setPointerCapture = () => {};
  reader.getBoundingClientRect = () => ({ left: 0, width: 300 }) as DOMRect;
  fireEvent.pointerDown(reader, { clientX: 200, button: 0 });
  fireEvent.pointerUp(reader);
  expect(onRange).not.toHaveBeenCalled();
  fireEvent.pointerDown(reader, { clientX: 200, button: 0 });
  fireEvent.pointerMove(reader, { clientX: 100 });
  fireEvent.pointerUp(reader);
  expect(onRange).toHaveBeenCalledWith(START + MINUTE, START + 2 * MINUTE);
});

test("while it loads it keeps its room, and without values it says so", () => {
  const { rerender } = show(<TimeChart {...given} series={undefined} />);
  expect(screen.getByRole("status")).toHaveTextContent("Loading GPUs kept busy");
  rerender(
    <MantineProvider env="test">
      <TimeChart {...given} series={[]} empty="No GPU was asked for." />
    </MantineProvider>,
  );
  expect(screen.getByText("No GPU was asked for.")).toBeVisible();
  expect(screen.queryByRole("slider")).toBeNull();
});

test("one series can be looked at alone", async () => {
  show(<TimeChart {...given} />);
  const item = screen.getByRole("button", { name: /Rank 1/ });
  await userEvent.click(item);
  expect(item).toHaveAttribute("aria-pressed", "true");
  await userEvent.click(item);
  expect(item).toHaveAttribute("aria-pressed", "false");
});

test("it draws a line for each series, in colours that follow the scheme", async () => {
  const { container } = show(<TimeChart {...given} />);
  const drawn = () =>
    [...container.querySelectorAll("svg g")].map((each) => ({
      colour: each.getAttribute("style"),
      line: each.querySelector("path")?.getAttribute("d"),
      dimmed: each.hasAttribute("data-dimmed"),
    }));
  const [first, second] = drawn();
  expect(first?.line).toMatch(/^M0,128L400,96L800,64L1200,32$/);
  expect(second?.line).toMatch(/^M0,96L400,96M1200,128Z$/);
  // The one that is looked at stands in front, and its line is the same.
  await userEvent.click(screen.getByRole("button", { name: /Rank 0/ }));
  expect(drawn().map(({ line, dimmed }) => [line, dimmed])).toEqual([
    [second?.line, true],
    [first?.line, false],
  ]);
});

test("the ninth series is dashed, and a state has its token", () => {
  const points = given.series?.[0]?.points ?? [];
  const series = Array.from({ length: 9 }, (_, at) => ({ id: `r${at}`, name: `r${at}`, points }));
  const { container } = show(
    <TimeChart
      {...given}
      series={[...series, { id: "z", name: "z", points, tone: "--state-failed" }]}
    />,
  );
  const lines = [...container.querySelectorAll<SVGElement>("svg g")];
  expect(lines.map((each) => each.hasAttribute("data-dashed")).indexOf(true)).toBe(8);
  expect(lines[9]?.style.color).toBe("var(--state-failed)");
});

test("the range picker writes short addresses", async () => {
  const onChange = vi.fn();
  const drawn = { from: "2026-03-01T09:00:00Z", to: "2026-03-01T10:00:00Z" };
  show(<RangePicker value={drawn} onChange={onChange} usual="24h" />);
  await userEvent.click(screen.getByRole("button", { name: "6 h" }));
  expect(onChange).toHaveBeenLastCalledWith({ range: "6h" });
  await userEvent.click(screen.getByRole("button", { name: "24 h" }));
  expect(onChange).toHaveBeenLastCalledWith({});
  await userEvent.click(screen.getByRole("button", { name: /1 Mar 09:00/ }));
  expect(onChange).toHaveBeenLastCalledWith({});
});

test("nothing in them is at fault", async () => {
  show(
    <main>
      <TimeChart {...given} limit={5} />
      <TimeChart {...given} label="While loading" series={undefined} />
      <RangePicker value={{}} onChange={() => {}} />
    </main>,
  );
  const { violations } = await axe.run(document.body, {
    rules: { "color-contrast": { enabled: false }, region: { enabled: false } },
  });
  expect(violations.map(({ id }) => id)).toEqual([]);
});
