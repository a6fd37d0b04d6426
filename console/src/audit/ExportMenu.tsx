/** Takes entries away as JSON Lines: what fits the filters, or the sealed trail, which verifies. The
 * server writes both, and tells the trail of it. */
import { Button, Menu } from "@mantine/core";
import { ChevronIcon, DownloadIcon } from "../frame/icons";
import { searchText } from "../frame/search";
import { useMay } from "../session/queries";
import classes from "./audit.module.css";
import { type AuditSearch, queryOf, timesOf } from "./search";

interface Props {
  search: AuditSearch;
  project: string | undefined;
}

const address = "/api/v1/audit/export";

export function ExportMenu({ search, project }: Props) {
  const may = useMay();
  if (!may("audit:export", project)) return null;
  const { since, until, ...others } = queryOf(search, project);
  const fitting = Object.keys(others).length > 0;
  const times = timesOf(search);
  return (
    <Menu position="bottom-end" width={304}>
      <Menu.Target>
        <Button variant="default" leftSection={<DownloadIcon />} rightSection={<ChevronIcon />}>
          Export
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {fitting && (
          <Menu.Item
            component="a"
            href={`${address}${searchText({ ...others, since, until })}`}
            download
          >
            What fits the filters
            <span className={classes.choiceNote}>
              JSON Lines; an extract, which cannot be verified
            </span>
          </Menu.Item>
        )}
        {may("audit:export") && (
          <Menu.Item component="a" href={`${address}${searchText({ ...times })}`} download>
            {times.since === undefined ? "The sealed trail" : "The sealed trail of this time"}
            <span className={classes.choiceNote}>
              JSON Lines with seals; verifies without a server:{" "}
              <code>podium audit verify FILE</code>
            </span>
          </Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
