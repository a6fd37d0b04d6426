/** The query client: how long things are trusted, and what happens when a session ends. */
import { MutationCache, QueryCache, QueryClient } from "@tanstack/react-query";
import { isSignedOut, ProblemError } from "./api/problem";
import { sessionEnded } from "./session/queries";

export function queriesCreate(): QueryClient {
  const queries: QueryClient = new QueryClient({
    queryCache: new QueryCache({
      onError: (error, query) => {
        if (isSignedOut(error) && query.queryKey[0] !== "session") sessionEnded(queries);
      },
    }),
    mutationCache: new MutationCache({
      onError: (error) => {
        if (isSignedOut(error)) sessionEnded(queries);
      },
    }),
    defaultOptions: {
      queries: {
        refetchOnWindowFocus: false,
        // What the server refused it refuses again; only silence is worth a second try.
        retry: (failures, error) => !(error instanceof ProblemError) && failures < 2,
      },
    },
  });
  return queries;
}
