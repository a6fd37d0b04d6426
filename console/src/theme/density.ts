/** How tall rows are. The style sheets read `--row`; virtual lists read `useRowHeight`. */
import { useEffect } from "react";
import { settingCreate } from "../account/setting";

export const densitySetting = settingCreate("podium-density", ["compact", "comfortable"]);

const heights = { compact: 32, comfortable: 40 } as const;

/** In pixels; the same as the token `--row`. */
export function useRowHeight(): number {
  return heights[densitySetting.use()];
}

/** Tells the style sheets. The frame uses it once. */
export function useDensityMark(): void {
  const density = densitySetting.use();
  useEffect(() => {
    document.documentElement.dataset.density = density;
  }, [density]);
}
