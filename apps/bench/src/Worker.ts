/**
 * A process that was started for a benchmark, and the questions it is asked over the channel to its parent.
 *
 * ```
 *   benchmark ── { id, question, argument } ──► worker
 *             ◄── { id, answer } or { id, failure } ──
 * ```
 *
 * It ends when the channel does, so that none outlives the benchmark.
 */
import { Effect, Schema, type Scope } from "effect"
import { type ChildProcess, fork } from "node:child_process"
import { fileURLToPath } from "node:url"
import { SystemFailed } from "./System.js"

export interface Worker {
  /** Its process. */
  readonly pid: number
  readonly ask: (question: string, argument?: unknown) => Effect.Effect<unknown, SystemFailed>
  /** Ends its process as the system would, and waits until it is gone. */
  readonly kill: Effect.Effect<void>
}

interface Question {
  readonly id: number
  readonly question: string
  readonly argument: unknown
}

type Answer = { readonly id: number; readonly answer: unknown } | { readonly id: number; readonly failure: string }

/** How long a worker may take to end by itself before it is killed, in milliseconds. */
const grace = 3000

/** Starts a program of this folder, by its name without extension. It may be asked at once. */
export const start = (options: {
  readonly system: string
  readonly program: string
  readonly settings: unknown
  readonly profiles: string | undefined
}): Effect.Effect<Worker, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => spawn(options)),
      ({ child }) => stop(child)
    ),
    ({ worker }) => worker
  )

const spawn = ({ profiles, program, settings, system }: Parameters<typeof start>[0]) => {
  const child = fork(fileURLToPath(new URL(`${program}.js`, import.meta.url)), [JSON.stringify(settings)], {
    execArgv: profiles === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profiles}`],
    serialization: "advanced",
    stdio: ["ignore", "ignore", "inherit", "ipc"]
  })
  const waiting = new Map<number, (outcome: Effect.Effect<unknown, SystemFailed>) => void>()
  let next = 0
  let over: string | undefined
  const fail = (reason: string) => Effect.fail(new SystemFailed({ system, reason }))

  child.on("message", (message: Answer) => {
    const end = waiting.get(message.id)
    waiting.delete(message.id)
    end?.("failure" in message ? fail(message.failure) : Effect.succeed(message.answer))
  })
  const gone = (how: string): void => {
    over ??= `its process ${program} ${how}`
    for (const end of waiting.values()) end(fail(over))
    waiting.clear()
  }
  child.on("error", (error) => gone(`failed (${error.message})`))
  child.on("exit", (code, signal) => gone(`ended (${signal ?? `exit code ${code}`})`))

  const worker: Worker = {
    pid: child.pid ?? 0,
    ask: (question, argument) =>
      Effect.async((resume) => {
        if (over !== undefined) return resume(fail(over))
        const id = next++
        waiting.set(id, resume)
        const asked: Question = { id, question, argument }
        child.send(asked)
      }),
    kill: Effect.async((resume) => {
      if (over !== undefined) return resume(Effect.void)
      child.once("exit", () => resume(Effect.void))
      child.kill("SIGKILL")
    })
  }
  return { child, worker }
}

const stop = (child: ChildProcess): Effect.Effect<void> =>
  Effect.async<void>((resume) => {
    if (child.exitCode !== null || child.signalCode !== null) return resume(Effect.void)
    child.once("exit", () => resume(Effect.void))
    if (child.connected) child.disconnect()
  }).pipe(
    Effect.timeoutTo({
      duration: grace,
      onSuccess: () => undefined,
      onTimeout: () => {
        child.kill("SIGKILL")
      }
    }),
    Effect.interruptible
  )

/** What a worker answered, if it is what was expected. */
export const decode =
  <A, I>(schema: Schema.Schema<A, I>) =>
  (answer: unknown): Effect.Effect<A, SystemFailed> =>
    Effect.mapError(
      Schema.decodeUnknown(schema)(answer),
      ({ message }) => new SystemFailed({ system: "synod", reason: message })
    )

/** In the worker: answers the parent's questions until it goes. */
export const serve = (questions: Readonly<Record<string, (argument: unknown) => Promise<unknown>>>): void => {
  const answer = (message: Answer): void => {
    if (process.connected) process.send?.(message)
  }
  process.on("message", ({ argument, id, question }: Question) => {
    const handler = questions[question]
    if (handler === undefined) return answer({ id, failure: `it can't answer "${question}"` })
    handler(argument).then(
      (value) => answer({ id, answer: value }),
      (error: unknown) => answer({ id, failure: error instanceof Error ? error.message : String(error) })
    )
  })
  process.on("disconnect", () => process.exit(0))
}

/** In the worker: what {@link start} was given. */
export const settings = (): unknown => JSON.parse(process.argv[2] ?? "null")
