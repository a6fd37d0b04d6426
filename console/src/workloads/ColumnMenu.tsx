/** Which columns the list has, and in which order. */
import { Popover } from "@mantine/core";
import { IconButton } from "../frame/IconButton";
import { ArrowIcon, ChevronIcon } from "../frame/icons";
import { type ColumnId, columnIds, columnOf, columnsRead, columnsText } from "./columns";
import classes from "./workloads.module.css";

interface Props {
  text: string | undefined;
  onChange: (text: string | undefined) => void;
}

export function ColumnMenu({ text, onChange }: Props) {
  const shown = columnsRead(text);
  const others = columnIds.filter((id) => !shown.includes(id));
  const change = (ids: readonly ColumnId[]) => onChange(columnsText(ids));
  const move = (at: number, by: 1 | -1) => {
    const next = [...shown];
    const [id] = next.splice(at, 1);
    if (id) next.splice(at + by, 0, id);
    change(next);
  };
  return (
    <Popover position="bottom-end" width={256} trapFocus returnFocus shadow="none">
      <Popover.Target>
        <button type="button" className={classes.columns} data-on={text !== undefined || undefined}>
          Columns
          <ChevronIcon />
        </button>
      </Popover.Target>
      <Popover.Dropdown className={classes.columnList} aria-label="Columns">
        <ol>
          {shown.map((id, at) => (
            <li key={id} className={classes.columnItem}>
              <label>
                <input
                  type="checkbox"
                  checked
                  disabled={id === "name"}
                  onChange={() => change(shown.filter((each) => each !== id))}
                />
                {columnOf(id).name}
              </label>
              <IconButton
                label={`Move ${columnOf(id).name} to the left`}
                disabled={at === 0}
                onClick={() => move(at, -1)}
              >
                <ArrowIcon up />
              </IconButton>
              <IconButton
                label={`Move ${columnOf(id).name} to the right`}
                disabled={at === shown.length - 1}
                onClick={() => move(at, 1)}
              >
                <ArrowIcon />
              </IconButton>
            </li>
          ))}
        </ol>
        {others.length > 0 && (
          <ul className={classes.columnOthers}>
            {others.map((id) => (
              <li key={id} className={classes.columnItem}>
                <label>
                  <input type="checkbox" checked={false} onChange={() => change([...shown, id])} />
                  {columnOf(id).name}
                </label>
              </li>
            ))}
          </ul>
        )}
        {text !== undefined && (
          <button type="button" className={classes.clear} onClick={() => onChange(undefined)}>
            Usual columns
          </button>
        )}
      </Popover.Dropdown>
    </Popover>
  );
}
