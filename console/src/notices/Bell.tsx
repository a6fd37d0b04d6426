/** The bell: how many notices are unread, and the latest of them in a small window. */
import { Popover } from "@mantine/core";
import { useState } from "react";
import { BellIcon } from "../frame/icons";
import frame from "../frame/rail.module.css";
import { counted } from "../quantity/words";
import { NoticeList } from "./NoticeList";
import classes from "./notices.module.css";
import { useNotices, useNoticesLive } from "./queries";

function unreadInWords(unread: number): string {
  return unread > 99 ? "99+ unread notices" : counted(unread, "unread notice");
}

export function Bell() {
  useNoticesLive();
  const [opened, setOpened] = useState(false);
  const notices = useNotices();
  const unread = notices.data?.unread ?? 0;
  return (
    <Popover
      opened={opened}
      onChange={setOpened}
      position="right-end"
      width={384}
      shadow="none"
      trapFocus
      returnFocus
    >
      <Popover.Target>
        <button
          type="button"
          className={frame.room}
          onClick={() => setOpened(!opened)}
          title={unread > 0 ? `Notifications, ${unread} unread` : "Notifications"}
          aria-label={unread > 0 ? `Notifications, ${unreadInWords(unread)}` : "Notifications"}
        >
          <span className={classes.bell}>
            <BellIcon />
            {unread > 0 && <span className={classes.dot} />}
          </span>
          {/* The space keeps what is seen a part of what is said. */}
          <span className={frame.label}>Notifications</span>{" "}
          {unread > 0 && <span className={classes.count}>{unread > 99 ? "99+" : unread}</span>}
        </button>
      </Popover.Target>
      <Popover.Dropdown className={classes.dropdown} aria-label="Notifications">
        <NoticeList titled onFollow={() => setOpened(false)} />
      </Popover.Dropdown>
    </Popover>
  );
}
