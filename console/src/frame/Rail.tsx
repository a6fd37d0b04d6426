/** The rail at the left: project, search, what to make, the rooms, and one's own things below. */
import { Link, useLocation } from "@tanstack/react-router";
import { Bell } from "../notices/Bell";
import { paletteOpen } from "../palette/opened";
import { ProjectSwitcher } from "../projects/ProjectSwitcher";
import { AccountMenu } from "./AccountMenu";
import { IconButton } from "./IconButton";
import { Mark, PlusIcon, RailIcon, SearchIcon } from "./icons";
import { modKey } from "./keys";
import classes from "./rail.module.css";
import { railSetting } from "./railSetting";
import { isIn, useRooms } from "./rooms";

export function Rail({ narrow }: { narrow: boolean }) {
  const rooms = useRooms();
  const { pathname } = useLocation();
  return (
    <nav aria-label="Rooms" className={classes.rail}>
      <div className={classes.top}>
        <Link to="/" className={classes.brand} aria-label="Podium" title="Podium">
          <Mark />
          <span className={classes.label}>Podium</span>
        </Link>
        {!narrow && (
          <span className={classes.fold}>
            <IconButton label="Fold or unfold the rail ( [ )" onClick={railSetting.toggle}>
              <RailIcon />
            </IconButton>
          </span>
        )}
      </div>
      <ProjectSwitcher />
      <button
        type="button"
        className={classes.search}
        onClick={() => paletteOpen()}
        title={`Search or do anything (${modKey} K)`}
        aria-keyshortcuts="Control+K Meta+K"
      >
        <SearchIcon />
        <span className={classes.label}>Search or do</span>
        <kbd className={classes.keys} aria-hidden>
          {modKey} K
        </kbd>
      </button>
      <Link to="/submit" className={classes.make} title="New workload (c)">
        <PlusIcon />
        <span className={classes.label}>New workload</span>
      </Link>
      <div className={classes.rooms}>
        {rooms.map(({ to, label, also, Icon }) => (
          <Link
            key={to}
            to={to}
            className={classes.room}
            title={label}
            activeOptions={{ exact: to === "/", includeSearch: false }}
            {...(isIn(also, pathname) && { "data-status": "active", "aria-current": "page" })}
          >
            <Icon />
            <span className={classes.label}>{label}</span>
          </Link>
        ))}
      </div>
      <Bell />
      <AccountMenu />
    </nav>
  );
}
