/** The rooms of the console, in the order of the rail. A room is added here once it has a page. */
import type { ComponentType } from "react";
import { NodesIcon, OverviewIcon, QueueIcon, WorkloadsIcon } from "./icons";

export interface Room {
  to: "/" | "/workloads" | "/queue" | "/nodes";
  label: string;
  /** What people look for when they mean it. */
  keywords: string;
  /** Pressed after g. */
  key: string;
  Icon: ComponentType;
  /** Has a place of its own in the bar of a phone; others are under More. */
  inBar: boolean;
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
    label: "Nodes and GPUs",
    keywords: "machines hosts devices racks heat map",
    key: "n",
    Icon: NodesIcon,
    inBar: false,
  },
];
