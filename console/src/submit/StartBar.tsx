/** Examples to begin with, and the way back to an empty page. */
import { Button, Menu } from "@mantine/core";
import { ChevronIcon } from "../frame/icons";
import { examples } from "./examples";
import classes from "./submit.module.css";

interface Props {
  changed: boolean;
  onBegin: (text: string, origin: string) => void;
}

export function StartBar({ changed, onBegin }: Props) {
  return (
    <div className={classes.start}>
      {changed && (
        <Button variant="subtle" color="gray" onClick={() => onBegin("", "")}>
          Start afresh
        </Button>
      )}
      <Menu position="bottom-end" width={320} shadow="none">
        <Menu.Target>
          <Button variant="default" rightSection={<ChevronIcon />}>
            Examples
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {examples.map(({ name, title, sentence, text }) => (
            <Menu.Item key={name} onClick={() => onBegin(text, `example:${name}`)}>
              <span className={classes.exampleTitle}>{title}</span>
              <span className={classes.exampleSentence}>{sentence}</span>
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
    </div>
  );
}
