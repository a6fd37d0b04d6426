/** How many letters a line has room for, and how high the view is. LogView draws the probe. */
import { type RefObject, useLayoutEffect, useRef, useState } from "react";

const LETTERS = 100;
const LETTER_PIXELS = 7.2;

export function useColumns(scroll: RefObject<HTMLElement | null>) {
  const probe = useRef<HTMLDivElement>(null);
  const [columns, setColumns] = useState(80);
  const [height, setHeight] = useState(0);
  useLayoutEffect(() => {
    const element = scroll.current;
    const text = probe.current?.lastElementChild;
    const letters = text?.firstElementChild;
    if (!element || !text || !letters) return;
    const measure = () => {
      const width = letters.getBoundingClientRect().width / LETTERS || LETTER_PIXELS;
      setColumns(Math.max(10, Math.floor(text.clientWidth / width + 0.01)));
      setHeight(element.clientHeight);
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    observer.observe(text);
    return () => observer.disconnect();
  }, [scroll]);
  return { probe, columns, height };
}
