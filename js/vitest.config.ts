import { defineConfig } from "vitest/config";

export default defineConfig({
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  // A property takes its time on a busy machine; no test is about how much.
  test: { environment: "node", include: ["**/*.test.{ts,tsx}"], restoreMocks: true, testTimeout: 120_000 },
});
