import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"

const conditions = ["source"]

export default defineConfig({
  root: fileURLToPath(new URL("..", import.meta.url)),
  // Packages of this repository resolve to their sources, so that a test needs no build and sees the change just made.
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ["packages/*/test/**/*.test.ts", "apps/*/test/**/*.test.ts", "test/**/*.test.ts"],
    // One process a worker: tests open native SQLite handles, sockets and signal handlers. Two, since that is what the
    // smallest machine of CI has, and timing stays the same on a larger one.
    pool: "forks",
    poolOptions: { forks: { minForks: 1, maxForks: 2 } },
    // A hung test has to fail, a slow disk must not fail one: several tests wait for real fsyncs and processes.
    testTimeout: 30_000,
    hookTimeout: 30_000,
    allowOnly: !process.env["CI"],
    reporters: ["default", fileURLToPath(new URL("../.tools/counts-reporter.js", import.meta.url))]
  }
})
