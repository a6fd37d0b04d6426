/** Whether the rail is folded to its icons. */
import { settingCreate } from "../account/setting";

const setting = settingCreate("podium-rail", ["open", "collapsed"]);

export const railSetting = {
  use: setting.use,
  toggle: () => setting.set(setting.get() === "open" ? "collapsed" : "open"),
};
