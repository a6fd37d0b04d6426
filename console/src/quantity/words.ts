/** Quantities in words, always with their unit. */
const BINARY_UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

export function bytesInWords(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < BINARY_UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${rounded(value)} ${BINARY_UNITS[unit]}`;
}

/** 64000 → 64; 500 → 0.5. Also for GPUs, where 1000 is one whole device. */
export function milliInWords(milli: number): string {
  return rounded(milli / 1000);
}

/** 14 GPU-seconds, 8 GPU-minutes, 3.2 GPU-hours: the unit in which there is something to read. */
export function gpuTimeInWords(gpuSeconds: number): string {
  if (gpuSeconds < 60) return secondsInWords(gpuSeconds, "GPU-second");
  if (gpuSeconds < 3600) return counted(Math.floor(gpuSeconds / 60), "GPU-minute");
  const hours = rounded(gpuSeconds / 3600);
  return `${hours} ${hours === "1" ? "GPU-hour" : "GPU-hours"}`;
}

export function cpuTimeInWords(cpuSeconds: number): string {
  return secondsInWords(cpuSeconds, "CPU-second");
}

function secondsInWords(seconds: number, unit: string): string {
  return seconds < 1 ? `under 1 ${unit}` : counted(Math.floor(seconds), unit);
}

function rounded(value: number): string {
  return value.toLocaleString("en", {
    maximumFractionDigits: value < 10 ? 2 : value < 100 ? 1 : 0,
  });
}

export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
}
