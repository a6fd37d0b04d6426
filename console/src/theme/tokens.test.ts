import { describe, expect, test } from "vitest";
import css from "./tokens.css?raw";

const AA = 4.5;
const AA_GRAPHIC = 3;

function tokensOf(scheme: string): Map<string, string> {
  const block = css.split(`[data-mantine-color-scheme="${scheme}"]`)[1]?.split("}")[0] ?? "";
  return new Map(
    [...block.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map(
      (m) => [m[1], m[2]] as [string, string],
    ),
  );
}

function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const channel = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one: string, other: string): number {
  const [low, high] = [luminance(one), luminance(other)].sort((x, y) => x - y) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

describe.each(["light", "dark"])("the %s scheme", (scheme) => {
  const tokens = tokensOf(scheme);
  const grounds = ["surface", "canvas", "sunken", "hover", "accent-soft"];
  const texts = [...tokens.keys()].filter((name) => /^(ink|state-)/.test(name));

  test.each(texts)("%s can be read on every ground (AA)", (name) => {
    for (const ground of grounds) {
      const ratio = contrast(tokens.get(name) ?? "", tokens.get(ground) ?? "");
      expect(ratio, `${name} on ${ground}`).toBeGreaterThanOrEqual(AA);
    }
  });

  test("the accent can be read, written on, and seen as a focus ring", () => {
    const accent = tokens.get("accent") ?? "";
    expect(contrast(accent, tokens.get("surface") ?? "")).toBeGreaterThanOrEqual(AA);
    for (const ground of grounds) {
      expect(contrast(accent, tokens.get(ground) ?? "")).toBeGreaterThanOrEqual(AA_GRAPHIC);
    }
  });
});
