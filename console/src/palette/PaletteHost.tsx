/** Loads the palette and the sheet of keys when one of them is first opened. */
import { lazy, Suspense, useEffect } from "react";
import { paletteClose, useOpened } from "./opened";

const Palette = lazy(() => import("./Palette"));
const KeySheet = lazy(() => import("./KeySheet"));

export function PaletteHost() {
  const opened = useOpened();
  // Who signs out leaves nothing open for the next one.
  useEffect(() => paletteClose, []);
  if (opened === "none") return null;
  return <Suspense>{opened === "palette" ? <Palette /> : <KeySheet />}</Suspense>;
}
