/** The whole console, for main.tsx and for the tests that use it as a person does. */
import { MantineProvider } from "@mantine/core";
import { type QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import type { routerCreate } from "./router";
import { SessionGate } from "./session/SessionGate";
import { resolver, schemes, theme } from "./theme/theme";

interface Props {
  queries: QueryClient;
  router: ReturnType<typeof routerCreate>;
  ticket: string | null;
}

export function Console({ queries, router, ticket }: Props) {
  return (
    <MantineProvider
      theme={theme}
      cssVariablesResolver={resolver}
      colorSchemeManager={schemes}
      defaultColorScheme="auto"
      env={import.meta.env.MODE === "test" ? "test" : "default"}
    >
      <QueryClientProvider client={queries}>
        <SessionGate ticket={ticket}>
          <RouterProvider router={router} />
        </SessionGate>
      </QueryClientProvider>
    </MantineProvider>
  );
}
