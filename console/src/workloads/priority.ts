/** Priorities as people type them. */

/** Offered beside the field. */
export const priorities = ["0", "25", "50", "75", "100"] as const;

/** What is wrong with the text, or null. */
export function priorityFault(text: string): string | null {
  const isPriority = /^\d{1,3}$/.test(text) && Number(text) <= 100;
  return isPriority ? null : "Give a whole number from 0 to 100.";
}
