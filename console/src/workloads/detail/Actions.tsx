/** What can be done with a workload: the likeliest as buttons, the rest in a menu and the palette. */
import { Button, Menu } from "@mantine/core";
import { Link, useNavigate } from "@tanstack/react-router";
import type { WorkloadDetail } from "../../api/types";
import { useCopy } from "../../frame/clipboard";
import frame from "../../frame/frame.module.css";
import { MoreIcon } from "../../frame/icons";
import { type Command, useCommands } from "../../palette/commands";
import { useMay } from "../../session/queries";
import classes from "./detail.module.css";
import type { Asked } from "./dialogs";
import { useMayChange, useMaySubmit } from "./may";

interface Props {
  workload: WorkloadDetail;
  onAsk: (asked: Asked) => void;
}

export function Actions({ workload, onAsk }: Props) {
  const { id, name, state, project } = workload;
  const mayAudit = useMay()("audit:read", project);
  const trail = { subject: id, project: [project] } as never;
  const mayChange = useMayChange(workload);
  const maySubmit = useMaySubmit(workload);
  const navigate = useNavigate();
  const { copied, copy } = useCopy();
  const cli = `podium show ${id}`;
  const clone = () => void navigate({ to: "/submit", search: { from: id } as never });

  const changes: Command[] = [
    { id: "workload-cancel", name: `Cancel ${name}`, run: () => onAsk("cancel") },
    { id: "workload-priority", name: `Change priority of ${name}`, run: () => onAsk("priority") },
    {
      id: "workload-time",
      name: `Extend time of ${name}`,
      keywords: "limit deadline runtime",
      run: () => onAsk("time"),
    },
  ];
  useCommands(
    [
      ...(mayChange && state !== "stopping" ? changes : []),
      ...(maySubmit
        ? [
            {
              id: "workload-clone",
              name: `Clone ${name}`,
              keywords: "submit again copy",
              run: clone,
            },
          ]
        : []),
      ...(mayAudit
        ? [
            {
              id: "workload-audit",
              name: `Audit of ${name}`,
              keywords: "trail who did",
              run: () => void navigate({ to: "/audit", search: trail }),
            },
          ]
        : []),
      { id: "workload-copy-id", name: `Copy the id of ${name}`, run: () => copy(id) },
      { id: "workload-copy-cli", name: `Copy “${cli}”`, keywords: "command", run: () => copy(cli) },
    ].map((command) => ({ ...command, group: "This page" as const })),
  );

  return (
    <div className={classes.actions}>
      {mayChange && state !== "stopping" && (
        <Button variant="default" onClick={() => onAsk("cancel")}>
          Cancel
        </Button>
      )}
      {maySubmit && (
        <Button variant="default" component={Link} to="/submit" search={{ from: id } as never}>
          Clone
        </Button>
      )}
      <Menu position="bottom-end" width={216} shadow="none">
        <Menu.Target>
          <button type="button" className={frame.iconButton} aria-label="More actions" title="More">
            <MoreIcon />
          </button>
        </Menu.Target>
        <Menu.Dropdown>
          {mayChange && (
            <>
              <Menu.Item onClick={() => onAsk("priority")}>Change priority…</Menu.Item>
              <Menu.Item onClick={() => onAsk("time")}>Extend time…</Menu.Item>
              <Menu.Divider />
            </>
          )}
          {mayAudit && (
            <>
              <Menu.Item component={Link} {...{ to: "/audit", search: trail }}>
                Audit of this workload
              </Menu.Item>
              <Menu.Divider />
            </>
          )}
          <Menu.Item onClick={() => copy(id)}>Copy id</Menu.Item>
          <Menu.Item onClick={() => copy(cli)}>Copy “podium show …”</Menu.Item>
          <Menu.Item onClick={() => copy(window.location.href)}>Copy link to this view</Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <span className={classes.hidden} role="status">
        {copied ? "Copied" : ""}
      </span>
    </div>
  );
}
