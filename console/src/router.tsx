/** The pages and their addresses. */
import { createRootRoute, createRoute, createRouter, redirect } from "@tanstack/react-router";
import { EmptyState } from "./frame/EmptyState";
import { Frame } from "./frame/Frame";
import { searchParse, searchText } from "./frame/search";
import { NodesPage } from "./nodes/NodesPage";
import { WorkloadPanel } from "./workloads/detail/WorkloadPanel";
import { filtersRead, type WorkloadFilters } from "./workloads/filters";
import { WorkloadsPage } from "./workloads/WorkloadsPage";

const rootRoute = createRootRoute({
  component: Frame,
  notFoundComponent: () => (
    <EmptyState
      title="No such page"
      sentence="Nothing is at this address. The rooms are at the side."
    />
  ),
});

const indexRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/workloads", replace: true });
  },
});

const workloadsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/workloads",
  validateSearch: (search: Record<string, unknown>): WorkloadFilters => filtersRead(search),
  component: WorkloadsPage,
});

const workloadRoute = createRoute({
  getParentRoute: () => workloadsRoute,
  path: "$id",
  validateSearch: (search: Record<string, unknown>): { tab?: string; rank?: number } => ({
    ...(typeof search.tab === "string" && { tab: search.tab }),
    ...(isRank(search.rank) && { rank: Number(search.rank) }),
  }),
  component: WorkloadPanel,
});

function isRank(value: unknown): boolean {
  return /^\d{1,6}$/.test(String(value));
}

const nodesRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/nodes",
  component: NodesPage,
});

export const routeTree = rootRoute.addChildren([
  indexRoute,
  workloadsRoute.addChildren([workloadRoute]),
  nodesRoute,
]);

export function routerCreate() {
  return createRouter({
    routeTree,
    parseSearch: searchParse,
    stringifySearch: searchText,
    defaultPreload: false,
  });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof routerCreate>;
  }
}
