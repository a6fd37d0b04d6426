/** The list of workloads: a table where there is room, stacked rows where there is little. */
import type { Workload } from "../api/types";
import { WorkloadRow } from "./WorkloadRow";
import classes from "./workloads.module.css";

interface Props {
  rows: Workload[];
  openId: string | undefined;
  onOpen: (id: string) => void;
}

const columns = [
  { name: "State", column: "state" },
  { name: "Name", column: "name" },
  { name: "Project", column: "project" },
  { name: "Kind", column: "kind" },
  { name: "Why", column: "why" },
  { name: "Each replica", column: "resources" },
  { name: "Replicas", column: "replicas" },
  { name: "Owner", column: "owner" },
  { name: "Submitted", column: "submitted" },
] as const;

export function WorkloadTable({ rows, openId, onOpen }: Props) {
  return (
    <table className={classes.table}>
      <thead>
        <tr>
          {columns.map(({ name, column }) => (
            <th key={column} scope="col" data-column={column}>
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((workload) => (
          <WorkloadRow
            key={workload.id}
            workload={workload}
            open={workload.id === openId}
            onOpen={onOpen}
          />
        ))}
      </tbody>
    </table>
  );
}
