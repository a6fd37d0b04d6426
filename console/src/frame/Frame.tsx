/** What stays while pages change: the rail, and the live feed behind all of them. */
import { Outlet } from "@tanstack/react-router";
import { useWorkloadStream } from "../workloads/useWorkloadStream";
import classes from "./frame.module.css";
import { Rail } from "./Rail";

export function Frame() {
  useWorkloadStream();
  return (
    <div className={classes.frame}>
      <a className={classes.skip} href="#page">
        Skip to the page
      </a>
      <Rail />
      <main id="page" tabIndex={-1} className={classes.page}>
        <Outlet />
      </main>
    </div>
  );
}
