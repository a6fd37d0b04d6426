/** What a program says of itself, in the few words that tell it apart from one's others. */

const browsers = [
  ["Edg/", "Edge"],
  ["OPR/", "Opera"],
  ["Firefox/", "Firefox"],
  ["Chrome/", "Chrome"],
  ["Safari/", "Safari"],
] as const;
const systems = [
  ["Android", "Android"],
  ["iPhone", "iPhone"],
  ["iPad", "iPad"],
  ["Windows", "Windows"],
  ["Mac OS X", "macOS"],
  ["CrOS", "ChromeOS"],
  ["Linux", "Linux"],
] as const;

/** "Firefox on Linux"; what is no browser says its own name, such as "podium/0.1.0". */
export function agentInWords(agent: string): string {
  const browser = browsers.find(([mark]) => agent.includes(mark))?.[1];
  if (!browser) return agent.slice(0, 40);
  const system = systems.find(([mark]) => agent.includes(mark))?.[1];
  return system ? `${browser} on ${system}` : browser;
}
