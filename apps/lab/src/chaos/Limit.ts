/** How large the files of a running process may get: what stands for a full disk, by `prlimit` of util-linux. */
import { Effect } from "effect"
import { execFile, spawnSync } from "node:child_process"

/** Whether there is such a program here. */
export const isThere: Effect.Effect<boolean> = Effect.sync(
  () => process.platform === "linux" && spawnSync("prlimit", ["--version"]).status === 0
)

const limit = (pid: number, bytes: string): Effect.Effect<void> =>
  Effect.async((resume) => {
    // A process that is gone needs no limit.
    execFile("prlimit", ["--pid", String(pid), `--fsize=${bytes}:unlimited`], () => resume(Effect.void))
  })

/** Every write that makes a file longer than a byte fails from now on. */
export const fill = (pid: number): Effect.Effect<void> => limit(pid, "1")

export const empty = (pid: number): Effect.Effect<void> => limit(pid, "unlimited")
