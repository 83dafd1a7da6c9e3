import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { compile, install, runNode, say, seconds } from "./workspace.js"

const stages = [
  {
    name: "format",
    what: "every file is laid out as `npm run format` would",
    run: () => runNode("node_modules/prettier/bin/prettier.cjs", ["--check", "--log-level=warn", "."])
  },
  {
    name: "floors",
    what: "no import goes up a floor or round in a circle",
    run: () =>
      runNode("node_modules/dependency-cruiser/bin/dependency-cruise.mjs", [
        ...["--config", ".config/floors.cjs"],
        ...["packages", "apps", "test"]
      ])
  },
  {
    name: "types",
    what: "sources and tests compile, with Effect's diagnostics, and the packages are built",
    run: () => compile(["."])
  },
  {
    name: "lint",
    what: "no clock, dice or timer in the packages, no promise left floating",
    run: () => runNode("node_modules/eslint/bin/eslint.js", ["--config", ".config/eslint.config.js", "."])
  }
]

/** Runs the tests. Answers what was counted, and the exit code. */
const runTests = async (args) => {
  const folder = mkdtempSync(join(tmpdir(), "synod-test-"))
  const file = join(folder, "counts.json")
  try {
    const env = { ...process.env, SYNOD_TEST_COUNTS: file }
    const vitest = ["run", "--config", ".config/vitest.config.ts", "--allowOnly=false", ...args]
    const code = await runNode("node_modules/vitest/vitest.mjs", vitest, { env })
    return { code, counts: JSON.parse(readFileSync(file, "utf8")) }
  } catch (error) {
    say(`The test runner ended without a result: ${error.message}`)
    return { code: 1, counts: { passed: 0, failed: 1, skipped: 0 } }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const close = ({ passed, failed, skipped }) =>
  say(`${passed} passed, ${failed} failed${skipped === 0 ? "" : `, ${skipped} skipped`}`)

/** `npm test`: the whole gate, cheap checks first, ending at the first stage that fails. */
export const main = async (args) => {
  const whole = performance.now()
  if (!(await install())) {
    close({ passed: 0, failed: 1, skipped: 0 })
    return 1
  }
  const count = stages.length + 1
  const times = []
  for (const [index, stage] of stages.entries()) {
    const start = performance.now()
    say(`[${index + 1}/${count}] ${stage.name}: ${stage.what}`)
    const code = await stage.run()
    times.push(`${stage.name} ${seconds(start)}`)
    if (code !== 0) {
      say(`The gate ends at ${stage.name}, after ${seconds(start)}: what is wrong is said above. No test was run.`)
      close({ passed: 0, failed: 1, skipped: 0 })
      return code
    }
    say(`      passed in ${seconds(start)}`)
  }
  const start = performance.now()
  say(`[${count}/${count}] tests`)
  const { code, counts } = await runTests(args)
  times.push(`tests ${seconds(start)}`)
  const ran = counts.passed + counts.failed > 0
  if (!ran) say("No test ran.")
  // The runner can fail where no test did, for instance when a worker of it died.
  if (ran && code !== 0 && counts.failed === 0) counts.failed = 1
  say(`${times.join(", ")}; ${seconds(whole)} in all`)
  close(counts)
  return ran ? code : code || 1
}
