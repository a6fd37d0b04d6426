/** Opens the console at an address, against a fake server that knows who is signed in. */
import { render } from "@testing-library/react";
import { Console } from "../Console";
import { queriesCreate } from "../queries";
import { routerCreate } from "../router";
import { identityOf, noticesOf, overviewOf, pageOf } from "./documents";
import { FakeServer } from "./server";

export function serverCreate(): FakeServer {
  return new FakeServer()
    .on("GET /api/v1/auth/me", () => identityOf())
    .on("GET /api/v1/projects", () => pageOf([]))
    .on("GET /api/v1/workloads", () => pageOf([]))
    .on("GET /api/v1/nodes", () => pageOf([]))
    .on("GET /api/v1/overview", () => overviewOf())
    .on("GET /api/v1/overview/capacity", () => ({ points: [] }))
    .on("GET /api/v1/notices", () => noticesOf([]))
    .install();
}

export function consoleOpen(address: string, ticket: string | null = null): void {
  window.history.replaceState(null, "", address);
  render(<Console queries={queriesCreate()} router={routerCreate()} ticket={ticket} />);
}
