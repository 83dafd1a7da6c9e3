import { writeFileSync } from "node:fs"

/**
 * Writes how many tests passed, failed and were skipped to the file that `SYNOD_TEST_COUNTS` names. A file that failed
 * to load, a hook that failed and an error outside any test each count as one failed test.
 *
 * @implements {import("vitest/node").Reporter}
 */
export default class CountsReporter {
  onTestRunEnd(modules, unhandledErrors) {
    const file = process.env.SYNOD_TEST_COUNTS
    if (file === undefined) return
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 }
    for (const module of modules) {
      counts.failed += module.errors().length
      for (const suite of module.children.allSuites()) counts.failed += suite.errors().length
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        counts[state === "pending" ? "failed" : state] += 1
      }
    }
    writeFileSync(file, JSON.stringify(counts))
  }
}
