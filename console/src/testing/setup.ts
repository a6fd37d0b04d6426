/** What jsdom lacks and the components need. */
import "@testing-library/jest-dom/vitest";
import { cleanup, configure } from "@testing-library/react";
import { afterEach } from "vitest";

window.matchMedia = (query: string) =>
  ({
    matches: false,
    media: query,
    addEventListener: () => {},
    removeEventListener: () => {},
  }) as unknown as MediaQueryList;

window.ResizeObserver = class {
  observe() {}
  unobserve() {}
  disconnect() {}
};

// A virtual list draws what its size has room for.
for (const [name, pixels] of [
  ["clientWidth", 1200],
  ["clientHeight", 640],
  ["offsetHeight", 20],
] as const) {
  Object.defineProperty(HTMLElement.prototype, name, { configurable: true, value: pixels });
}

window.scrollTo = () => {};

// An editor asks where its letters are.
Range.prototype.getClientRects = () => [] as unknown as DOMRectList;
Range.prototype.getBoundingClientRect = () => new DOMRect();

// The check of accessibility asks for one, and goes on without.
HTMLCanvasElement.prototype.getContext = () => null;

// Pages load when they are opened, which takes its time where much else runs.
configure({ asyncUtilTimeout: 15_000 });

afterEach(cleanup);
