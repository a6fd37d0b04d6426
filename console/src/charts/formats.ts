/** How the axes and readings of charts say their values. */
import { bytesInWords } from "../quantity/words";
import type { Format } from "./series";

/** `one` differs from `name` for what is counted; the axis then has numbers alone. */
function unit(name: string, digits = 2, one = name): Format {
  const number = (value: number, most: number) =>
    value.toLocaleString("en", { maximumFractionDigits: most });
  const say = (value: number, most: number) => {
    const text = number(value, most);
    return `${text} ${text === "1" ? one : name}`;
  };
  const short = (value: number) =>
    say(value, value >= 100 ? 0 : value >= 10 ? Math.min(1, digits) : digits);
  return Object.assign(short, {
    exact: (value: number) => say(value, digits + 1),
    ...(one !== name && { tick: (value: number) => number(value, digits) }),
  });
}

const GIB = 2 ** 30;

export const formats = {
  bytes: Object.assign((value: number) => bytesInWords(value), {
    binary: true,
    exact: (value: number) =>
      value >= GIB
        ? `${(value / GIB).toLocaleString("en", { maximumFractionDigits: 3 })} GiB`
        : bytesInWords(value),
  }) as Format,
  gpus: unit("GPUs", 2, "GPU"),
  cores: unit("cores", 2, "core"),
  watts: unit("W", 0),
  degrees: unit("°C", 0),
  percent: Object.assign(unit("%", 1), { whole: 100 }),
  gpuHours: unit("GPU-hours", 2, "GPU-hour"),
} satisfies Record<string, Format>;
