import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const server = process.env.PODIUM_URL ?? "http://127.0.0.1:8470";

export default defineConfig({
  plugins: [react()],
  build: {
    outDir: "../src/podium/webroot",
    emptyOutDir: true,
    // The server's policy allows no data: addresses, so nothing is inlined.
    assetsInlineLimit: 0,
  },
  server: { proxy: { "/api": server, "/readyz": server } },
  test: {
    environment: "jsdom",
    setupFiles: ["src/testing/setup.ts"],
    // Only the test of the palette reads a style sheet.
    css: { include: [/tokens\.css/] },
    restoreMocks: true,
    testTimeout: 20_000,
    // Times in tests are read in UTC wherever they run.
    env: { TZ: "UTC" },
  },
});
