/** The sheet of keys: those of the commands that are there now, and those of every list. */
import { Modal } from "@mantine/core";
import { modKey } from "../frame/keys";
import { useAllCommands } from "./commands";
import { Keys } from "./Keys";
import { paletteClose } from "./opened";
import classes from "./palette.module.css";

interface Line {
  keys: string;
  does: string;
}

const everywhere: Line[] = [{ keys: `${modKey} K`, does: "Search or do anything" }];

const lists: Line[] = [
  { keys: "j", does: "Next row" },
  { keys: "k", does: "Row before" },
  { keys: "Enter", does: "Open it" },
  { keys: "Esc", does: "Close what is open" },
  { keys: "/", does: "Filter the list" },
];

export default function KeySheet() {
  const commands = useAllCommands().filter(({ keys }) => keys !== undefined);
  const lineOf = ({ keys, name }: (typeof commands)[number]): Line => ({
    keys: keys ?? "",
    does: name,
  });
  const page = commands.filter(({ group }) => group === "This page").map(lineOf);
  const rest = commands.filter(({ group }) => (group ?? "Do") === "Do").map(lineOf);
  const go = commands.filter(({ group }) => group === "Go to").map(lineOf);
  return (
    <Modal
      opened
      onClose={paletteClose}
      title="Keys"
      size={640}
      radius={12}
      shadow="none"
      transitionProps={{ duration: 0 }}
      classNames={{ content: classes.content ?? "", title: classes.sheetTitle ?? "" }}
    >
      <div className={classes.sheet}>
        <Lines title="Everywhere" lines={[...everywhere, ...rest]} />
        <Lines title="Go to" lines={go} />
        <Lines title="In lists" lines={lists} />
        {page.length > 0 && <Lines title="This page" lines={page} />}
      </div>
    </Modal>
  );
}

function Lines({ title, lines }: { title: string; lines: Line[] }) {
  return (
    <section>
      <h3 className={classes.group}>{title}</h3>
      <dl className={classes.lines}>
        {lines.map(({ keys, does }) => (
          <div key={keys}>
            <dt>{does}</dt>
            <dd>
              <Keys keys={keys} />
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
