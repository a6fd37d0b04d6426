/** What jsdom lacks and the components need. */
import "@testing-library/jest-dom/vitest";
import { cleanup } from "@testing-library/react";
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

afterEach(cleanup);
