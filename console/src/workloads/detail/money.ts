/** Money and shares in words. */
import type { Usage } from "../../api/types";

export function costInWords({ amount, currency }: NonNullable<Usage["cost"]>): string {
  const value = Number(amount);
  try {
    const digits = value !== 0 && Math.abs(value) < 0.1 ? 4 : 2;
    return value.toLocaleString("en", {
      style: "currency",
      currency,
      currencyDisplay: "code",
      minimumFractionDigits: 2,
      maximumFractionDigits: digits,
    });
  } catch {
    return `${amount} ${currency}`;
  }
}

/** 63 % */
export function shareInWords(share: number): string {
  const percent = share * 100;
  return `${percent.toLocaleString("en", { maximumFractionDigits: percent < 10 ? 1 : 0 })} %`;
}
