import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import type { Cluster } from "../../api/types";
import { consoleOpen, serverCreate } from "../../testing/console";
import { identityOf, nodeOf, pageOf } from "../../testing/documents";
import { clustersOf, nodesShown, ownMachines } from "../view";
import { healthInWords } from "./ClustersPage";
import { accessOf, draftOf, faultsOf, labelsOf, versionInWords } from "./words";

function clusterOf(given: Partial<Cluster> = {}): Cluster {
  return {
    name: "munich",
    region: "eu-central",
    labels: { zone: "secure" },
    image: "a/b:1",
    in_cluster: false,
    groups_prefix: "",
    server: "https://10.1.2.3:6443",
    context: "prod",
    added_at: "2026-03-01T09:00:00Z",
    added_by: "root",
    state: "ready",
    since: "2026-03-01T09:00:00Z",
    words: "",
    version: "v1.30.1",
    missing: [],
    nodes: 3,
    nodes_ready: 3,
    gpus: 8,
    gpu_milli_used: 2000,
    seen_at: "2026-03-01T10:00:00Z",
    ...given,
  };
}

const administrator = identityOf({ administrator: true });

function served(items: Cluster[], who = administrator) {
  return serverCreate()
    .on("GET /api/v1/auth/me", () => who)
    .on("GET /api/v1/clusters", () => ({ items }));
}

test("each cluster says how it is, what it has and where it stands", async () => {
  const away = clusterOf({
    name: "oslo",
    state: "unreachable",
    words: "The cluster at https://10.9.9.9 does not answer.",
    nodes_ready: 1,
    gpus: 0,
  });
  served([clusterOf(), away]);
  consoleOpen("/clusters");
  const table = await screen.findByRole("table", { name: "Clusters" });
  const [, munich, oslo] = within(table).getAllByRole("row");
  expect(munich).toHaveTextContent("Kubernetes 1.30.1https://10.1.2.3:6443");
  expect(munich).toHaveTextContent("Ready");
  expect(munich).toHaveTextContent("2 of 8");
  expect(munich).toHaveTextContent("zone=secure");
  expect(oslo).toHaveTextContent("Does not answer for");
  expect(oslo).toHaveTextContent("https://10.9.9.9 does not answer.");
  expect(oslo).toHaveTextContent("2 not ready");
  expect(screen.getByText(/oslo does not answer\. .* The others go on\./)).toBeVisible();
});

test("who may not manage them only looks", async () => {
  served([clusterOf({ server: "" })], identityOf());
  consoleOpen("/clusters");
  await screen.findByRole("table", { name: "Clusters" });
  expect(screen.queryByRole("button", { name: "Add a cluster" })).toBeNull();
  expect(screen.queryByRole("button", { name: "Change munich" })).toBeNull();
});

test("a cluster is tried before it is added, and added anyway when rights are missing", async () => {
  const asked: unknown[] = [];
  served([])
    .on("POST /api/v1/clusters/check", async (request) => {
      asked.push(await request.json());
      return {
        server: "https://10.1.2.3:6443",
        context: "prod",
        version: "v1.30.1",
        nodes: 3,
        gpus: 8,
        missing: ["create pods/exec"],
        ok: false,
      };
    })
    .on("POST /api/v1/clusters", async (request) => {
      asked.push(await request.json());
      return clusterOf();
    });
  consoleOpen("/clusters");
  const user = userEvent.setup();
  await user.click(await screen.findByRole("button", { name: "Add a cluster" }));
  const dialog = await screen.findByRole("dialog", { name: "Add a cluster" });
  const within_ = within(dialog);
  await user.click(within_.getByRole("button", { name: "Add" }));
  expect(within_.getByText("Paste the cluster’s kubeconfig.")).toBeVisible();
  await user.type(within_.getByLabelText("Name"), "munich");
  await user.click(within_.getByLabelText("Kubeconfig"));
  await user.paste("kind: Config");
  await user.type(within_.getByLabelText("Region"), "eu-central");
  await user.click(within_.getByRole("button", { name: "Add" }));
  expect(await within_.findByText("create pods/exec")).toBeVisible();
  expect(within_.getByRole("status")).toHaveTextContent("answers: Kubernetes 1.30.1, 3 nodes");
  await user.click(within_.getByRole("button", { name: "Add anyway" }));
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  expect(asked).toEqual([
    { kubeconfig: "kind: Config", context: "", in_cluster: false },
    {
      name: "munich",
      kubeconfig: "kind: Config",
      context: "",
      in_cluster: false,
      region: "eu-central",
      labels: {},
      image: "",
      groups_prefix: "",
    },
  ]);
});

test("a removal says what goes, and gives up work only when told to", async () => {
  const asked: string[] = [];
  served([clusterOf()]).on("DELETE /api/v1/clusters/munich", (request) => {
    asked.push(new URL(request.url).search);
    return { name: "munich", nodes: 3, replicas: 0, workloads: 0 };
  });
  consoleOpen("/clusters");
  const user = userEvent.setup();
  await user.click(await screen.findByRole("button", { name: "Remove munich" }));
  const dialog = await screen.findByRole("dialog", { name: "Remove munich" });
  expect(dialog).toHaveTextContent("forgets its 3 nodes.");
  await user.click(within(dialog).getByRole("checkbox"));
  await user.click(within(dialog).getByRole("button", { name: "Remove munich" }));
  await waitFor(() => expect(asked).toEqual(["?force=true"]));
});

test("nodes are chosen by cluster where there is more than one", async () => {
  const nodes = [nodeOf({ name: "own-1" }), nodeOf({ name: "munich.a", cluster: "munich" })];
  expect(clustersOf(nodes)).toEqual([
    { value: ownMachines, label: "Servers’ own" },
    { value: "munich", label: "munich" },
  ]);
  expect(clustersOf(nodes.slice(1))).toEqual([]);
  expect(nodesShown(nodes, { cluster: "munich" }).map(({ name }) => name)).toEqual(["munich.a"]);
  expect(nodesShown(nodes, { cluster: ownMachines }).map(({ name }) => name)).toEqual(["own-1"]);
  served([clusterOf()]).on("GET /api/v1/nodes", () => pageOf(nodes));
  consoleOpen("/nodes?cluster=munich&view=list");
  const list = await screen.findByRole("list", { name: "Nodes" });
  expect(list).toHaveTextContent("munich.a");
  expect(list).not.toHaveTextContent("own-1");
  expect(screen.getByRole("link", { name: "Clusters" })).toBeVisible();
});

test("what is typed becomes what is sent", () => {
  const empty = draftOf();
  expect(faultsOf(empty)).toHaveProperty("name");
  expect(faultsOf(empty)).toHaveProperty("kubeconfig");
  const known = clusterOf();
  expect(faultsOf(draftOf(known), known)).toEqual({});
  expect(faultsOf({ ...draftOf(known), labels: ["words"] }, known)).toHaveProperty("labels");
  expect(
    faultsOf(draftOf(clusterOf({ in_cluster: true })), clusterOf({ in_cluster: true })),
  ).toEqual({});
  expect(accessOf(draftOf(known))).toBeUndefined();
  expect(accessOf({ ...empty, way: "inside" })).toEqual({ in_cluster: true, context: "" });
  expect(labelsOf({ ...empty, labels: ["a=b=c"] })).toEqual({ a: "b=c" });
  expect(versionInWords("v1.30.1-eks")).toBe("1.30.1-eks");
  expect(healthInWords([clusterOf()])).toBe("All of them answer.");
  expect(healthInWords([clusterOf({ state: "connecting" })])).toContain("on their way");
});
