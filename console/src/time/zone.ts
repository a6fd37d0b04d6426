/** The time zone that times are told in: the browser's, or UTC if one prefers that. */
import { settingCreate } from "../account/setting";

export const zoneSetting = settingCreate("podium-time-zone", ["browser", "utc"]);

const browserZone = new Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";

/** The IANA name, for the server and for Intl. */
export function zoneOf(choice: "browser" | "utc"): string {
  return choice === "utc" ? "UTC" : browserZone;
}

export function useTimeZone(): string {
  return zoneOf(zoneSetting.use());
}
