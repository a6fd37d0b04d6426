/** The whole console, for main.tsx and for the tests that use it as a person does. */
import { MantineProvider } from "@mantine/core";
import { type QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import type { routerCreate } from "./router";
import { SessionGate } from "./session/SessionGate";
import { nonce } from "./theme/nonce";
import { resolver, schemes, theme } from "./theme/theme";

interface Props {
  queries: QueryClient;
  router: ReturnType<typeof routerCreate>;
  ticket: string | null;
  failure?: string | null;
}

export function Console({ queries, router, ticket, failure = null }: Props) {
  return (
    <MantineProvider
      theme={theme}
      cssVariablesResolver={resolver}
      colorSchemeManager={schemes}
      defaultColorScheme="auto"
      getStyleNonce={() => nonce}
      env={import.meta.env.MODE === "test" ? "test" : "default"}
    >
      <QueryClientProvider client={queries}>
        <SessionGate ticket={ticket} failure={failure}>
          <RouterProvider router={router} />
        </SessionGate>
      </QueryClientProvider>
    </MantineProvider>
  );
}
