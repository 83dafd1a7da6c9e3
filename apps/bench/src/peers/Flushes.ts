/**
 * How often processes have their files flushed to the disk: what "durable" comes down to. Counted by strace, in the calls that the
 * processes make, since a device counts the flushes of all of its users.
 */
import { Effect } from "effect"
import { spawn } from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Directory from "../Directory.js"

const calls = ["fsync", "fdatasync", "msync", "sync_file_range"]

/** How long strace may take to take hold of the processes, and to let go of them, in milliseconds. */
const grace = 2000

/** What an effect gives, and the flushes meanwhile; nothing of these where there is no strace, or it may not look. */
export const during = <A, E>(
  processes: ReadonlyArray<number>,
  effect: Effect.Effect<A, E>
): Effect.Effect<{ readonly value: A; readonly flushes: number | undefined }, E> =>
  Effect.scoped(
    Effect.gen(function* () {
      const directory = yield* Directory.temporary
      const file = Path.join(directory, "calls")
      const args = [
        "-f",
        "-qq",
        "-e",
        `trace=${calls.join(",")}`,
        "-o",
        file,
        ...processes.flatMap((pid) => ["-p", `${pid}`])
      ]
      let ended = false
      const tracer = spawn("strace", args, { stdio: "ignore" })
      const end = Effect.async<void>((resume) => {
        if (ended) return resume(Effect.void)
        tracer.once("exit", () => resume(Effect.void))
        tracer.kill("SIGINT")
      })
      const gone = (): void => void (ended = true)
      tracer.once("error", gone)
      tracer.once("exit", gone)
      yield* Effect.addFinalizer(() => Effect.timeoutOption(end, grace))
      yield* Effect.sleep(grace / 4)
      const value = yield* effect
      if (ended) return { value, flushes: undefined }
      yield* Effect.timeoutOption(end, grace)
      return { value, flushes: count(Fs.readFileSync(file, "utf8")) }
    })
  )

/** A call that was cut in two by another one is begun once. */
export const count = (trace: string): number =>
  trace.split("\n").filter((line) => calls.some((call) => line.includes(` ${call}(`))).length
