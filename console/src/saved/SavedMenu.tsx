/** What can be done with the saved view that is open: keep how it is now, rename, delete. */
import { Menu, Popover } from "@mantine/core";
import { useState } from "react";
import type { SavedView } from "../api/types";
import { MoreIcon } from "../frame/icons";
import { useViewDelete, useViewSave } from "./queries";
import classes from "./saved.module.css";
import { ViewForm } from "./ViewForm";

interface Props {
  page: string;
  view: SavedView;
  views: readonly SavedView[];
  /** The view as it is now. */
  search: string;
  edited: boolean;
  onRenamed: (name: string) => void;
  onDeleted: () => void;
}

export function SavedMenu({ page, view, views, search, edited, onRenamed, onDeleted }: Props) {
  const [renaming, setRenaming] = useState(false);
  const save = useViewSave(page);
  const remove = useViewDelete(page);
  return (
    <Popover
      opened={renaming}
      onChange={setRenaming}
      position="bottom-start"
      width={272}
      trapFocus
      returnFocus
      shadow="none"
    >
      <Menu position="bottom-start" shadow="none" width={184}>
        <Popover.Target>
          <span className={classes.menuPlace}>
            <Menu.Target>
              <button
                type="button"
                className={classes.menu}
                aria-label={`View ${view.name}`}
                title="Change this view"
              >
                <MoreIcon />
              </button>
            </Menu.Target>
          </span>
        </Popover.Target>
        <Menu.Dropdown>
          <Menu.Item disabled={!edited} onClick={() => save.mutate({ name: view.name, search })}>
            Save changes
          </Menu.Item>
          <Menu.Item onClick={() => setRenaming(true)}>Rename</Menu.Item>
          <Menu.Divider />
          <Menu.Item
            color="var(--state-failed)"
            onClick={() => remove.mutate(view.name, { onSuccess: onDeleted })}
          >
            Delete view
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Popover.Dropdown>
        <ViewForm
          page={page}
          search={view.search}
          views={views}
          before={view.name}
          onDone={(name) => {
            setRenaming(false);
            onRenamed(name);
          }}
        />
      </Popover.Dropdown>
    </Popover>
  );
}
