/** The evidence: logs, replicas, history and spec. Which one is open stands in the address. */
import { Tabs } from "@mantine/core";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import type { WorkloadDetail } from "../../api/types";
import { LogTab } from "../logs/LogTab";
import classes from "./detail.module.css";
import { HistoryList } from "./HistoryList";
import { ReplicaTable } from "./ReplicaTable";

/** It brings a YAML writer along, which nothing else needs. */
const SpecTab = lazy(() => import("./SpecTab"));

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
          {workload.array ? "Tasks" : "Replicas"}{" "}
          <span className={classes.tabCount}>{workload.replicas.total.toLocaleString("en")}</span>
        </Tabs.Tab>
        <Tabs.Tab value="history">History</Tabs.Tab>
        <Tabs.Tab value="spec">Spec</Tabs.Tab>
      </Tabs.List>
      <Tabs.Panel value="logs">
        <LogTab workload={workload} />
      </Tabs.Panel>
      <Tabs.Panel value="replicas">
        <ReplicaTable workload={workload} />
      </Tabs.Panel>
      <Tabs.Panel value="history">
        <HistoryList workload={workload} />
      </Tabs.Panel>
      <Tabs.Panel value="spec">
        <Suspense>
          <SpecTab workload={workload} />
        </Suspense>
      </Tabs.Panel>
    </Tabs>
  );
}
