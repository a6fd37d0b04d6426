/** The one typed client of the REST API. Each noun's queries.ts calls it and nothing else does. */
import createClient, { type Middleware } from "openapi-fetch";
import { ProblemError, UnreachableError } from "./problem";
import type { paths } from "./schema";
import type { ProblemDocument } from "./types";

const safeMethods = new Set(["GET", "HEAD", "OPTIONS"]);

/** A cookie alone proves nobody's will, so the server wants this header on what changes things. */
const wilful: Middleware = {
  onRequest({ request }) {
    if (!safeMethods.has(request.method)) request.headers.set("X-Podium-CSRF", "1");
    return request;
  },
};

export const api = createClient<paths>({
  baseUrl: window.location.origin,
  credentials: "same-origin",
  querySerializer: { array: { style: "form", explode: true } },
  // Looked up at each call, so that tests can put a fake server in its place.
  fetch: (request) => globalThis.fetch(request),
});
api.use(wilful);

interface Answer<Data> {
  data?: Data;
  error?: unknown;
  response: Response;
}

/** The answer's document. Throws ProblemError or UnreachableError. */
export async function answered<Data>(call: Promise<Answer<Data>>): Promise<Data> {
  const { data, error, response } = await reached(call);
  if (!response.ok) throw new ProblemError(response.status, asProblem(error));
  return data as Data;
}

async function reached<Data>(call: Promise<Answer<Data>>): Promise<Answer<Data>> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new UnreachableError(error);
  }
}

function asProblem(body: unknown): Partial<ProblemDocument> {
  return typeof body === "object" && body !== null ? (body as Partial<ProblemDocument>) : {};
}
