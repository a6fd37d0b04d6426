/** The rooms of the console, in the order of the rail. A room is added here once it has a page. */
import type { ComponentType } from "react";
import type { Action } from "../api/types";
import { useMay, useMaySomewhere } from "../session/queries";
import {
  AuditIcon,
  GovernanceIcon,
  NodesIcon,
  OverviewIcon,
  PeopleIcon,
  QueueIcon,
  SchedulerIcon,
  WorkloadsIcon,
} from "./icons";

export interface Room {
  to: "/" | "/workloads" | "/queue" | "/nodes" | "/scheduler" | "/usage" | "/access" | "/audit";
  label: string;
  /** Pages of the room that do not stand below `to`. */
  also?: readonly string[];
  /** What people look for when they mean it. */
  keywords: string;
  /** Pressed after g. */
  key: string;
  Icon: ComponentType;
  /** Has a place of its own in the bar of a phone; others are under More. */
  inBar: boolean;
  /** Who may not do this in the whole organisation cannot use it, so it is not shown to them. */
  needs?: Action;
  /** Who may do this in no place at all does not see it either. */
  needsSomewhere?: Action;
}

export const rooms: readonly Room[] = [
  {
    to: "/",
    label: "Overview",
    keywords: "home dashboard cluster usage gpu-hours",
    key: "o",
    Icon: OverviewIcon,
    inBar: true,
  },
  {
    to: "/workloads",
    label: "Workloads",
    keywords: "jobs runs training batch tasks",
    key: "w",
    Icon: WorkloadsIcon,
    inBar: true,
  },
  {
    to: "/queue",
    label: "Queue",
    keywords: "waiting pending next order",
    key: "q",
    Icon: QueueIcon,
    inBar: true,
  },
  {
    to: "/nodes",
    also: ["/clusters"],
    label: "Nodes and GPUs",
    keywords: "machines hosts devices racks heat map clusters kubernetes regions",
    key: "n",
    Icon: NodesIcon,
    inBar: false,
  },
  {
    to: "/scheduler",
    label: "Scheduler",
    keywords: "cycles decisions refusals preemptions replay record calibration",
    key: "s",
    Icon: SchedulerIcon,
    inBar: false,
    needs: "scheduler:read",
  },
  {
    to: "/usage",
    also: ["/budgets", "/quotas", "/planning", "/data", "/compliance"],
    label: "Governance",
    keywords:
      "usage cost money bill statement price budget quota guarantee limit share capacity planning demand data source classification phi compliance report",
    key: "u",
    Icon: GovernanceIcon,
    inBar: false,
  },
  {
    to: "/access",
    label: "People and access",
    keywords:
      "users groups teams projects members roles bindings permissions tokens secrets sso oidc login scim directory",
    key: "p",
    Icon: PeopleIcon,
    inBar: false,
  },
  {
    to: "/audit",
    label: "Audit",
    keywords:
      "trail log history who did what security compliance verify seals forwarding syslog siem",
    key: "a",
    Icon: AuditIcon,
    inBar: false,
    needsSomewhere: "audit:read",
  },
];

/** Whether an address is that of one of these pages, or below it. */
export function isIn(pages: readonly string[] | undefined, pathname: string): boolean {
  return pages?.some((page) => pathname === page || pathname.startsWith(`${page}/`)) ?? false;
}

/** Those that the person who is signed in can use. */
export function useRooms(): readonly Room[] {
  const may = useMay();
  const maySomewhere = useMaySomewhere();
  return rooms.filter(
    ({ needs, needsSomewhere }) =>
      (needs === undefined || may(needs)) &&
      (needsSomewhere === undefined || maySomewhere(needsSomewhere)),
  );
}
