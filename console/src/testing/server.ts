/** A small server for component tests: answers by method and path, and remembers what was asked. */
import { vi } from "vitest";
import type { ProblemDocument } from "../api/types";
import { FakeEventSource } from "./eventSource";

type Answer = (request: Request) => unknown;

export class Refused {
  constructor(
    readonly status: number,
    readonly problem: Partial<ProblemDocument> = {},
  ) {}
}

export class FakeServer {
  readonly asked: Request[] = [];
  private readonly routes = new Map<string, Answer>();

  /** `route` is "GET /api/v1/nodes"; an answer that is a Refused becomes a problem document. */
  on(route: string, answer: Answer): this {
    this.routes.set(route, answer);
    return this;
  }

  install(): this {
    FakeEventSource.opened = [];
    vi.stubGlobal("EventSource", FakeEventSource);
    vi.stubGlobal("fetch", async (request: Request) => {
      this.asked.push(request.clone());
      const answer = this.routes.get(`${request.method} ${new URL(request.url).pathname}`);
      const body = answer ? await answer(request) : new Refused(404, { detail: "Not there." });
      if (body instanceof Refused) return Response.json(body.problem, { status: body.status });
      return body === undefined ? new Response(null, { status: 204 }) : Response.json(body);
    });
    return this;
  }

  last(method: string, path: string): Request | undefined {
    return this.asked.findLast(
      (each) => each.method === method && new URL(each.url).pathname === path,
    );
  }
}
