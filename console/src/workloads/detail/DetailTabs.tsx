/** The evidence: logs, timeline, replicas, curves and spec. Which one is open stands in the address. */
import { Tabs } from "@mantine/core";
import { lazy, Suspense } from "react";
import type { WorkloadDetail } from "../../api/types";
import { Skeleton } from "../../frame/PageState";
import { LogTab } from "../logs/LogTab";
import classes from "./detail.module.css";
import { ReplicaTable } from "./ReplicaTable";
import { TimelineTab } from "./TimelineTab";
import { useDetailSearch } from "./useDetailSearch";

/** They bring a YAML writer and the charts along, which nothing else here needs. */
const SpecTab = lazy(() => import("./SpecTab"));
const ResourcesTab = lazy(() => import("./ResourcesTab"));

const tabs = ["logs", "timeline", "replicas", "resources", "spec"] as const;
type Tab = (typeof tabs)[number];

export function DetailTabs({ workload }: { workload: WorkloadDetail }) {
  const { search, change } = useDetailSearch();
  const tab = tabRead(search.tab) ?? (workload.started_at ? "logs" : "timeline");
  return (
    <Tabs
      value={tab}
      onChange={(next) => change({ tab: next ?? undefined })}
      keepMounted={false}
      classNames={{
        root: classes.tabs ?? "",
        list: classes.tabList ?? "",
        tab: classes.tab ?? "",
        panel: classes.tabPanel ?? "",
      }}
    >
      <Tabs.List>
        <Tabs.Tab value="logs">Logs</Tabs.Tab>
        <Tabs.Tab value="timeline">Timeline</Tabs.Tab>
        <Tabs.Tab value="replicas">
          {workload.array ? "Tasks" : "Replicas"}{" "}
          <span className={classes.tabCount}>{workload.replicas.total.toLocaleString("en")}</span>
        </Tabs.Tab>
        <Tabs.Tab value="resources">Resources</Tabs.Tab>
        <Tabs.Tab value="spec">Spec</Tabs.Tab>
      </Tabs.List>
      <Tabs.Panel value="logs">
        <LogTab workload={workload} />
      </Tabs.Panel>
      <Tabs.Panel value="timeline">
        <TimelineTab workload={workload} />
      </Tabs.Panel>
      <Tabs.Panel value="replicas">
        <ReplicaTable workload={workload} />
      </Tabs.Panel>
      <Tabs.Panel value="resources">
        <Suspense fallback={<Skeleton rows={6} label="Loading the curves" />}>
          <ResourcesTab workload={workload} />
        </Suspense>
      </Tabs.Panel>
      <Tabs.Panel value="spec">
        <Suspense fallback={<Skeleton rows={6} label="Loading the spec" />}>
          <SpecTab workload={workload} />
        </Suspense>
      </Tabs.Panel>
    </Tabs>
  );
}

/** The timeline was called the history once, and links live long. */
function tabRead(text: string | undefined): Tab | undefined {
  return text === "history" ? "timeline" : tabs.find((each) => each === text);
}
