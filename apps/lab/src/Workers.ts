/** Processes that run seeds, each one piece of work at a time. */
import { Data, Effect, type Scope } from "effect"
import { type ChildProcess, fork } from "node:child_process"
import { fileURLToPath } from "node:url"
import type { Done, Work } from "./SimulateWorker.js"

export class WorkerEnded extends Data.TaggedError("WorkerEnded")<{ readonly work: Work; readonly how: string }> {
  override get message() {
    const { count, first } = this.work
    return `A process that ran the seeds ${first} to ${first + count - 1} ended by itself (${this.how}).`
  }
}

export interface Worker {
  readonly run: (work: Work) => Effect.Effect<Done, WorkerEnded>
}

export const start: Effect.Effect<Worker, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() =>
    fork(fileURLToPath(new URL("SimulateWorker.js", import.meta.url)), [], { serialization: "advanced" })
  ),
  (child) => Effect.sync(() => child.kill())
).pipe(Effect.map((child) => ({ run: (work) => ask(child, work) })))

const ask = (child: ChildProcess, work: Work): Effect.Effect<Done, WorkerEnded> =>
  Effect.async((resume) => {
    const onMessage = (done: Done) => answer(Effect.succeed(done))
    const onExit = (code: number | null, signal: string | null) =>
      answer(new WorkerEnded({ work, how: signal ?? `exit code ${code}` }))
    const answer = (outcome: Effect.Effect<Done, WorkerEnded>) => {
      child.off("message", onMessage).off("exit", onExit)
      resume(outcome)
    }
    child.on("message", onMessage).on("exit", onExit)
    child.send(work)
  })
