/** The button that keeps how a page is now under a name. */
import { Popover } from "@mantine/core";
import { useState } from "react";
import type { SavedView } from "../api/types";
import { PlusIcon } from "../frame/icons";
import classes from "./saved.module.css";
import { ViewForm } from "./ViewForm";

interface Props {
  page: string;
  search: string;
  views: readonly SavedView[];
  onSaved: (name: string) => void;
}

export function SaveView({ page, search, views, onSaved }: Props) {
  const [open, setOpen] = useState(false);
  return (
    <Popover
      opened={open}
      onChange={setOpen}
      position="bottom-start"
      width={272}
      trapFocus
      returnFocus
      shadow="none"
    >
      <Popover.Target>
        <button type="button" className={classes.save} onClick={() => setOpen(!open)}>
          <PlusIcon />
          Save view
        </button>
      </Popover.Target>
      <Popover.Dropdown>
        <ViewForm
          page={page}
          search={search}
          views={views}
          onDone={(name) => {
            setOpen(false);
            onSaved(name);
          }}
        />
      </Popover.Dropdown>
    </Popover>
  );
}
