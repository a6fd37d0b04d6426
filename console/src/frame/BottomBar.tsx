/** The rooms on a phone: a bar below, and a sheet with everything that has no place in it. */
import { Drawer } from "@mantine/core";
import { Link, useNavigate } from "@tanstack/react-router";
import { lazy, Suspense, useState } from "react";
import { useNotices, useNoticesLive } from "../notices/queries";
import { paletteOpen } from "../palette/opened";
import { ProjectSwitcher } from "../projects/ProjectSwitcher";
import { counted } from "../quantity/words";
import { useIdentity, useSignOut } from "../session/queries";
import {
  BellIcon,
  InfoIcon,
  MoreIcon,
  PersonIcon,
  PlusIcon,
  SearchIcon,
  SignOutIcon,
} from "./icons";
import { Skeleton } from "./PageState";
import classes from "./rail.module.css";
import { type Room, useRooms } from "./rooms";

const NoticeList = lazy(() =>
  import("../notices/NoticeList").then((found) => ({ default: found.NoticeList })),
);

type Sheet = "none" | "more" | "notices";

export function BottomBar() {
  useNoticesLive();
  const [sheet, setSheet] = useState<Sheet>("none");
  const unread = useNotices().data?.unread ?? 0;
  const close = () => setSheet("none");
  const rooms = useRooms();
  const [first, second, third] = rooms.filter((room) => room.inBar);
  return (
    <nav aria-label="Rooms" className={classes.bar}>
      {first && <RoomTab room={first} />}
      {second && <RoomTab room={second} />}
      <Link to="/submit" className={classes.tab} data-make aria-label="New workload">
        <PlusIcon />
        New
      </Link>
      {third && <RoomTab room={third} />}
      <button
        type="button"
        className={classes.tab}
        onClick={() => setSheet("more")}
        aria-label={unread > 0 ? `More, ${counted(unread, "unread notice")}` : "More"}
      >
        <span className={classes.tabIcon}>
          <MoreIcon />
          {unread > 0 && <span className={classes.tabDot} />}
        </span>
        More
      </button>
      <Drawer
        opened={sheet !== "none"}
        onClose={close}
        position="bottom"
        size="auto"
        title={sheet === "notices" ? "Notifications" : "More"}
        radius={16}
        classNames={{ content: classes.drawer ?? "", title: classes.drawerTitle ?? "" }}
      >
        {sheet === "notices" ? (
          <Suspense fallback={<Skeleton rows={4} />}>
            <NoticeList onFollow={close} />
          </Suspense>
        ) : (
          <More unread={unread} onNotices={() => setSheet("notices")} onDone={close} />
        )}
      </Drawer>
    </nav>
  );
}

function RoomTab({ room: { to, label, Icon } }: { room: Room }) {
  return (
    <Link
      to={to}
      className={classes.tab}
      activeOptions={{ exact: to === "/", includeSearch: false }}
    >
      <Icon />
      {label}
    </Link>
  );
}

interface MoreProps {
  unread: number;
  onNotices: () => void;
  onDone: () => void;
}

function More({ unread, onNotices, onDone }: MoreProps) {
  const { username } = useIdentity();
  const rooms = useRooms();
  const signOut = useSignOut();
  const navigate = useNavigate();
  const go = (to: "/nodes" | "/account" | "/about") => () => {
    onDone();
    void navigate({ to });
  };
  return (
    <div className={classes.sheet}>
      <ProjectSwitcher wide />
      {rooms
        .filter((room) => !room.inBar)
        .map(({ to, label, Icon }) => (
          <Link key={to} to={to} className={classes.room} onClick={onDone}>
            <Icon />
            <span className={classes.label}>{label}</span>
          </Link>
        ))}
      <button
        type="button"
        className={classes.room}
        onClick={() => {
          onDone();
          paletteOpen();
        }}
      >
        <SearchIcon />
        <span className={classes.label}>Search or do</span>
      </button>
      <button type="button" className={classes.room} onClick={onNotices}>
        <BellIcon />
        <span className={classes.label}>
          {unread > 0 ? `Notifications · ${unread} new` : "Notifications"}
        </span>
      </button>
      <p className={classes.sheetLabel}>{username}</p>
      <button type="button" className={classes.room} onClick={go("/account")}>
        <PersonIcon />
        <span className={classes.label}>Account and appearance</span>
      </button>
      <button type="button" className={classes.room} onClick={go("/about")}>
        <InfoIcon />
        <span className={classes.label}>About Podium</span>
      </button>
      <button type="button" className={classes.room} onClick={() => signOut.mutate()}>
        <SignOutIcon />
        <span className={classes.label}>Sign out</span>
      </button>
    </div>
  );
}
