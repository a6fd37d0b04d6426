/** What stays while pages change: the rail, the palette, and the live feed behind all of them. */
import { useMediaQuery } from "@mantine/hooks";
import { Outlet, useLocation } from "@tanstack/react-router";
import { useCommandKeys } from "../palette/keys";
import { PaletteHost } from "../palette/PaletteHost";
import { useFrameCommands } from "../palette/useFrameCommands";
import { NotLetIn } from "../session/NotLetIn";
import { isLetIn, useIdentity } from "../session/queries";
import { useFeed } from "../stream/useFeed";
import { useDensityMark } from "../theme/density";
import { useWorkloadStream } from "../workloads/useWorkloadStream";
import { BottomBar } from "./BottomBar";
import { Disconnected } from "./Disconnected";
import classes from "./frame.module.css";
import { Rail } from "./Rail";
import { railSetting } from "./railSetting";

// Asked before the first paint, so that no phone ever draws a rail.
const atOnce = { getInitialValueInEffect: false };

export function Frame() {
  return isLetIn(useIdentity()) ? <Rooms /> : <Outside />;
}

/** For who was given no role yet: nothing is asked for that would be refused. */
function Outside() {
  const { pathname } = useLocation();
  if (pathname !== "/account") return <NotLetIn />;
  return (
    <main id="page" className={classes.page} data-alone>
      <Outlet />
    </main>
  );
}

function Rooms() {
  useFeed();
  useWorkloadStream();
  useDensityMark();
  useFrameCommands();
  useCommandKeys();
  const phone = useMediaQuery("(max-width: 640px)", false, atOnce);
  const narrow = useMediaQuery("(max-width: 1100px)", false, atOnce);
  const rail = railSetting.use();
  return (
    <div
      className={classes.frame}
      data-rail={phone ? "none" : narrow || rail === "collapsed" ? "collapsed" : "open"}
    >
      <a className={classes.skip} href="#page">
        Skip to the page
      </a>
      {!phone && <Rail narrow={narrow} />}
      <main id="page" tabIndex={-1} className={classes.page}>
        <Outlet />
      </main>
      {phone && <BottomBar />}
      <Disconnected />
      <PaletteHost />
    </div>
  );
}
