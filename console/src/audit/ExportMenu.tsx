/** Takes entries away as JSON Lines: those that are shown, or the sealed trail, which verifies. */
import { Button, Menu } from "@mantine/core";
import { ChevronIcon, DownloadIcon } from "../frame/icons";
import { searchText } from "../frame/search";
import { counted } from "../quantity/words";
import { useMay } from "../session/queries";
import classes from "./audit.module.css";
import { useExport } from "./exporting";
import { type AuditSearch, isFiltered, timesOf } from "./search";

interface Props {
  search: AuditSearch;
  project: string | undefined;
}

export function ExportMenu({ search, project }: Props) {
  const may = useMay();
  const { count, note, start, stop } = useExport();
  if (!may("audit:export", project)) return null;
  const times = timesOf(search);
  const inTime = times.since !== undefined;
  const sealed = `/api/v1/audit/export${searchText({ ...times })}`;
  return (
    <>
      {count === null ? (
        <Menu position="bottom-end" width={304}>
          <Menu.Target>
            <Button variant="default" leftSection={<DownloadIcon />} rightSection={<ChevronIcon />}>
              Export
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item onClick={() => start(search, project)}>
              {isFiltered(search) || project ? "What fits the filters" : "All entries"}
              <span className={classes.choiceNote}>JSON Lines, newest first</span>
            </Menu.Item>
            {may("audit:export") && (
              <Menu.Item component="a" href={sealed} download>
                {inTime ? "The sealed trail of this time" : "The sealed trail"}
                <span className={classes.choiceNote}>
                  JSON Lines with seals; verifies without a server:{" "}
                  <code>podium audit verify FILE</code>
                </span>
              </Menu.Item>
            )}
          </Menu.Dropdown>
        </Menu>
      ) : (
        <Button variant="default" onClick={stop}>
          Stop at {counted(count, "entry", "entries")}
        </Button>
      )}
      <span className={classes.exportNote} role="status">
        {note}
      </span>
    </>
  );
}
