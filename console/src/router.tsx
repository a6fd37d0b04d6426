/** The pages and their addresses. Pages load when they are first opened. */
import { Button } from "@mantine/core";
import {
  createRootRoute,
  createRoute,
  createRouter,
  Link,
  lazyRouteComponent,
  retainSearchParams,
} from "@tanstack/react-router";
import type { ComponentType } from "react";
import { accessSearchRead } from "./access/search";
import { auditSearchRead } from "./audit/search";
import { EmptyState } from "./frame/EmptyState";
import { Frame } from "./frame/Frame";
import { PageFailure } from "./frame/PageFailure";
import { Skeleton } from "./frame/PageState";
import { searchParse, searchText } from "./frame/search";
import { governanceSearchRead } from "./governance/search";
import { projectsRead } from "./projects/scope";
import { detailSearchRead } from "./workloads/detail/search";
import { filtersRead, type WorkloadFilters } from "./workloads/filters";

type Search = Record<string, unknown>;

const rootRoute = createRootRoute({
  component: Frame,
  validateSearch: (search: Search): { project?: string[] } => {
    const project = projectsRead(search.project);
    return project.length > 0 ? { project } : {};
  },
  // Every link keeps the project; to take it away, a link says `project: undefined`.
  search: { middlewares: [retainSearchParams(["project"])] },
  notFoundComponent: () => (
    <EmptyState
      title="No such page"
      sentence="Nothing is at this address."
      action={
        <Button variant="default" component={Link} to="/">
          Go to the overview
        </Button>
      }
    />
  ),
});

const overviewRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/",
  validateSearch: rangeRead,
  component: lazyRouteComponent(() => import("./overview/OverviewPage")),
});

const workloadsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/workloads",
  validateSearch: (search: Search): WorkloadFilters => filtersRead(search),
  component: lazyRouteComponent(() => import("./workloads/WorkloadsPage"), "WorkloadsPage"),
});

const workloadRoute = createRoute({
  getParentRoute: () => workloadsRoute,
  path: "$id",
  validateSearch: detailSearchRead,
  component: lazyRouteComponent(() => import("./workloads/detail/WorkloadPanel"), "WorkloadPanel"),
});

const submitRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/submit",
  /** `from` is the id of a workload to begin with, `example` the name of an example. */
  validateSearch: (search: Search): { from?: string; example?: string } =>
    textsRead(search, "from", "example"),
  component: lazyRouteComponent(() => import("./submit/SubmitPage")),
});

const queueRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/queue",
  component: lazyRouteComponent(() => import("./queue/QueuePage")),
});

const nodesRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/nodes",
  component: lazyRouteComponent(() => import("./nodes/NodesPage"), "NodesPage"),
});

const nodeRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/nodes/$name",
  validateSearch: rangeRead,
  component: lazyRouteComponent(() => import("./nodes/NodePage")),
});

const clustersRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/clusters",
  validateSearch: (search: Search): { form?: string } => textsRead(search, "form"),
  component: lazyRouteComponent(() => import("./nodes/clusters/ClustersPage")),
});

const schedulerRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/scheduler",
  validateSearch: rangeRead,
  component: lazyRouteComponent(() => import("./scheduler/SchedulerPage")),
});

const auditRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/audit",
  validateSearch: auditSearchRead,
  component: lazyRouteComponent(() => import("./audit/AuditPage")),
});

const forwardingRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/audit/forwarding",
  validateSearch: (search: Search): { form?: string } => textsRead(search, "form"),
  component: lazyRouteComponent(() => import("./audit/forwarding/ForwardingPage")),
});

const accountRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/account",
  component: lazyRouteComponent(() => import("./account/AccountPage")),
});

const aboutRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/about",
  component: lazyRouteComponent(() => import("./about/AboutPage")),
});

const accessRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/access",
  validateSearch: accessSearchRead,
  component: lazyRouteComponent(() => import("./access/AccessPage")),
});

const accessRoutes = [
  accessPage("people", () => import("./access/people/PeoplePage")),
  accessPage("people/$name", () => import("./access/people/PersonPage")),
  accessPage("groups", () => import("./access/groups/GroupsPage")),
  accessPage("groups/$name", () => import("./access/groups/GroupPage")),
  accessPage("places", () => import("./access/places/PlacesPage")),
  accessPage("places/projects/$name", () => import("./access/places/ProjectPage")),
  accessPage("places/teams/$name", () => import("./access/places/TeamPage")),
  accessPage("roles", () => import("./access/roles/RolesPage")),
  accessPage("bindings", () => import("./access/BindingsPage")),
  accessPage("who", () => import("./access/who/WhoPage")),
  accessPage("accounts", () => import("./access/accounts/AccountsPage")),
  accessPage("accounts/$name", () => import("./access/accounts/AccountPage")),
  accessPage("secrets", () => import("./access/secrets/SecretsPage")),
  accessPage("sso", () => import("./access/sso/SsoPage")),
  accessPage("sso/$name", () => import("./access/sso/ProviderPage")),
  accessPage("directory", () => import("./access/directory/DirectoryPage")),
] as const;

/** A page of the room of people and access. */
function accessPage<const Path extends string>(
  path: Path,
  load: () => Promise<{ default: ComponentType }>,
) {
  return createRoute({
    getParentRoute: () => accessRoute,
    path,
    component: lazyRouteComponent(load),
  });
}

const governanceRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: "governance",
  validateSearch: governanceSearchRead,
  component: lazyRouteComponent(() => import("./governance/GovernancePage")),
});

const governanceRoutes = [
  governancePage("usage", () => import("./usage/UsagePage")),
  governancePage("usage/statements", () => import("./usage/StatementsPage")),
  governancePage("budgets", () => import("./budgets/BudgetsPage")),
  governancePage("quotas", () => import("./quotas/QuotasPage")),
  governancePage("planning", () => import("./planning/PlanningPage")),
  governancePage("data", () => import("./data/DataPage")),
  governancePage("compliance", () => import("./compliance/CompliancePage")),
] as const;

/** A page of the room of quotas, money and data. */
function governancePage<const Path extends string>(
  path: Path,
  load: () => Promise<{ default: ComponentType }>,
) {
  return createRoute({
    getParentRoute: () => governanceRoute,
    path,
    component: lazyRouteComponent(load),
  });
}

export const routeTree = rootRoute.addChildren([
  overviewRoute,
  workloadsRoute.addChildren([workloadRoute]),
  submitRoute,
  queueRoute,
  nodesRoute,
  nodeRoute,
  clustersRoute,
  schedulerRoute,
  auditRoute,
  forwardingRoute,
  accessRoute.addChildren(accessRoutes),
  governanceRoute.addChildren(governanceRoutes),
  accountRoute,
  aboutRoute,
]);

/** The time range of charts; charts/range.ts says what the words mean. */
type Range = { range?: string; from?: string; to?: string };

function rangeRead(search: Search): Range {
  return textsRead(search, "range", "from", "to");
}

function textsRead<Name extends string>(search: Search, ...names: Name[]) {
  const found: { [name in Name]?: string } = {};
  for (const name of names) {
    const value = search[name];
    if (typeof value === "string") found[name] = value;
  }
  return found;
}

export function routerCreate() {
  return createRouter({
    routeTree,
    parseSearch: searchParse,
    stringifySearch: searchText,
    defaultPreload: "intent",
    defaultErrorComponent: PageFailure,
    defaultPendingComponent: () => <Skeleton />,
    defaultPendingMs: 200,
  });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof routerCreate>;
  }
}
