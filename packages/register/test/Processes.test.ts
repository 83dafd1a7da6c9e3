/** Members in a process of their own, with real files, killed without warning. */
import { expect, it } from "@effect/vitest"
import { InProcess, Register } from "@synod/register"
import { Effect, Option, Schema } from "effect"
import { spawn } from "node:child_process"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { directory } from "./Fixtures.js"

const Owner = Register.make("owner", { value: Schema.Int })

const here = dirname(fileURLToPath(import.meta.url))
const config = join(here, "../../../.config/vitest.config.ts")
// The runner that comes with vitest: child processes run the sources as the tests do, and need no build.
const fromVitest = createRequire(createRequire(import.meta.url).resolve("vitest/package.json"))
const runner = join(dirname(fromVitest.resolve("vite-node/package.json")), "vite-node.mjs")

/** What a process says that is killed in the middle of its work, once it has said so many lines. */
const killedAfter = (lines: number, path: string) =>
  Effect.async<ReadonlyArray<string>>((resume) => {
    const child = spawn(process.execPath, [runner, "--config", config, join(here, "child.ts"), path], {
      stdio: ["ignore", "pipe", "inherit"]
    })
    const said: Array<string> = []
    const reader = createInterface({ input: child.stdout })
    reader.on("line", (line) => {
      said.push(line)
      if (said.length === lines) child.kill("SIGKILL")
    })
    reader.once("close", () => resume(Effect.succeed(said)))
    return Effect.sync(() => child.kill("SIGKILL"))
  })

/** In milliseconds: a process takes seconds to start on a busy machine. */
const timeout = 90_000

it.scopedLive(
  "what was decided is there after all members were killed, and what was not may be decided",
  () =>
    Effect.gen(function* () {
      const path = yield* directory
      const told = yield* killedAfter(300, path)
      expect(told.length).toBeGreaterThanOrEqual(300)
      yield* Effect.gen(function* () {
        const check = (line: string) =>
          Effect.gen(function* () {
            const [door, owner] = line.split(" ").map(Number)
            expect(owner).toBe(door)
            expect(yield* Owner.read(`door ${door}`)).toEqual(Option.some(owner))
            expect(yield* Owner.propose(`door ${door}`, -1)).toEqual({ value: owner, mine: false })
          })
        yield* Effect.forEach(told, check, { concurrency: 16 })
        expect(yield* Owner.propose("another door", -1)).toEqual({ value: -1, mine: true })
      }).pipe(Effect.provide(InProcess.layer({ directory: path })))
    }),
  timeout
)
