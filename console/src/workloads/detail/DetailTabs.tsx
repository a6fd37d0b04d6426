/** The evidence: logs, replicas, history and spec. Which one is open stands in the address. */
import { Tabs } from "@mantine/core";
import { useNavigate, useSearch } from "@tanstack/react-router";
import type { WorkloadDetail } from "../../api/types";
import classes from "./detail.module.css";
import { HistoryList } from "./HistoryList";
import { Logs } from "./Logs";
import { ReplicaTable } from "./ReplicaTable";

const tabs = ["logs", "replicas", "history", "spec"] as const;
type Tab = (typeof tabs)[number];

export function DetailTabs({ workload }: { workload: WorkloadDetail }) {
  const search = useSearch({ from: "/workloads/$id" });
  const navigate = useNavigate();
  const asked = tabs.find((tab) => tab === search.tab);
  const tab: Tab = asked ?? (workload.started_at ? "logs" : "history");
  return (
    <Tabs
      value={tab}
      onChange={(next) =>
        void navigate({
          to: ".",
          search: (kept) => ({ ...kept, ...(next && { tab: next }) }),
          replace: true,
        })
      }
      keepMounted={false}
      classNames={{ root: classes.tabs, tab: classes.tab, panel: classes.tabPanel }}
    >
      <Tabs.List>
        <Tabs.Tab value="logs">Logs</Tabs.Tab>
        <Tabs.Tab value="replicas">
          {workload.array ? "Tasks" : "Replicas"} {workload.replicas.total}
        </Tabs.Tab>
        <Tabs.Tab value="history">History</Tabs.Tab>
        <Tabs.Tab value="spec">Spec</Tabs.Tab>
      </Tabs.List>
      <Tabs.Panel value="logs">
        <Logs workload={workload} />
      </Tabs.Panel>
      <Tabs.Panel value="replicas">
        <ReplicaTable workload={workload} />
      </Tabs.Panel>
      <Tabs.Panel value="history">
        <HistoryList id={workload.id} />
      </Tabs.Panel>
      <Tabs.Panel value="spec">
        <pre className={classes.spec}>{JSON.stringify(workload.resolved_spec, null, 2)}</pre>
      </Tabs.Panel>
    </Tabs>
  );
}
