/** The rooms of the console, in the order of the rail. A room is added here once it has a page. */
import type { ComponentType } from "react";
import { useIdentity } from "../session/queries";
import { NodesIcon, OverviewIcon, QueueIcon, SchedulerIcon, WorkloadsIcon } from "./icons";

export interface Room {
  to: "/" | "/workloads" | "/queue" | "/nodes" | "/scheduler";
  label: string;
  /** What people look for when they mean it. */
  keywords: string;
  /** Pressed after g. */
  key: string;
  Icon: ComponentType;
  /** Has a place of its own in the bar of a phone; others are under More. */
  inBar: boolean;
  /** Others cannot use it, so it is not shown to them. */
  administrators?: boolean;
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
  {
    to: "/scheduler",
    label: "Scheduler",
    keywords: "cycles decisions refusals preemptions replay record calibration",
    key: "s",
    Icon: SchedulerIcon,
    inBar: false,
    administrators: true,
  },
];

/** Those that the person who is signed in can use. */
export function useRooms(): readonly Room[] {
  const { administrator } = useIdentity();
  return administrator ? rooms : rooms.filter((room) => !room.administrators);
}
