/**
 * A process that was started for a benchmark, and the questions it is asked: over Node's channel to its parent, or, if it is a
 * program in another language, as lines of JSON over its standard input and output.
 *
 * ```
 *   benchmark ── { id, question, argument } ──► worker
 *             ◄── { id, answer } or { id, failure } ──
 * ```
 *
 * It ends when the channel does, so that none outlives the benchmark.
 */
import { Effect, Schema, type Scope } from "effect"
import { type ChildProcess, fork, spawn } from "node:child_process"
import * as Readline from "node:readline"
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

/** A process, and the way to it and back. */
interface Channel {
  readonly child: ChildProcess
  readonly send: (question: Question) => void
  readonly onAnswer: (take: (answer: Answer) => void) => void
  readonly close: () => void
}

/** How long a worker may take to end by itself before it is killed, in milliseconds. */
const grace = 3000

/** Starts a program of this folder, by its name without extension. It may be asked at once. */
export const start = (options: {
  readonly system: string
  readonly program: string
  readonly settings: unknown
  readonly profiles: string | undefined
}): Effect.Effect<Worker, never, Scope.Scope> => keep(options.system, options.program, () => forked(options))

/** Starts a program in another language, which is given its settings as JSON. */
export const startForeign = (options: {
  readonly system: string
  readonly file: string
  readonly settings: unknown
}): Effect.Effect<Worker, never, Scope.Scope> => keep(options.system, options.file, () => spoken(options))

const keep = (system: string, program: string, open: () => Channel) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => {
        const channel = open()
        return { channel, worker: asking(channel, system, program) }
      }),
      ({ channel }) => stop(channel)
    ),
    ({ worker }) => worker
  )

const forked = ({ profiles, program, settings }: Parameters<typeof start>[0]): Channel => {
  const child = fork(fileURLToPath(new URL(`${program}.js`, import.meta.url)), [JSON.stringify(settings)], {
    execArgv: profiles === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profiles}`],
    serialization: "advanced",
    stdio: ["ignore", "ignore", "inherit", "ipc"]
  })
  return {
    child,
    send: (question) => void child.send(question),
    onAnswer: (take) => void child.on("message", take),
    close: () => {
      if (child.connected) child.disconnect()
    }
  }
}

const spoken = ({ file, settings }: Parameters<typeof startForeign>[0]): Channel => {
  const child = spawn(file, [JSON.stringify(settings)], { stdio: ["pipe", "pipe", "inherit"] })
  // Who writes to a process that has ended is told by its end.
  child.stdin.on("error", () => undefined)
  return {
    child,
    send: (question) => void child.stdin.write(`${JSON.stringify(question)}\n`),
    onAnswer: (take) =>
      void Readline.createInterface(child.stdout).on("line", (line) => take(JSON.parse(line) as Answer)),
    close: () => void child.stdin.end()
  }
}

const asking = ({ child, onAnswer, send }: Channel, system: string, program: string): Worker => {
  const waiting = new Map<number, (outcome: Effect.Effect<unknown, SystemFailed>) => void>()
  let next = 0
  let over: string | undefined
  const fail = (reason: string) => Effect.fail(new SystemFailed({ system, reason }))

  onAnswer((message) => {
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

  return {
    pid: child.pid ?? 0,
    ask: (question, argument) =>
      Effect.async((resume) => {
        if (over !== undefined) return resume(fail(over))
        const id = next++
        waiting.set(id, resume)
        send({ id, question, argument })
      }),
    kill: Effect.async((resume) => {
      if (over !== undefined) return resume(Effect.void)
      child.once("exit", () => resume(Effect.void))
      child.kill("SIGKILL")
    })
  }
}

const stop = ({ child, close }: Channel): Effect.Effect<void> =>
  Effect.async<void>((resume) => {
    if (child.exitCode !== null || child.signalCode !== null) return resume(Effect.void)
    child.once("exit", () => resume(Effect.void))
    close()
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
    // An argument that doesn't fit is refused at once; that is an answer too.
    void Promise.resolve()
      .then(() => handler(argument))
      .then(
        (value) => answer({ id, answer: value }),
        (error: unknown) => answer({ id, failure: error instanceof Error ? error.message : String(error) })
      )
  })
  process.on("disconnect", () => process.exit(0))
}

/** In the worker: what {@link start} was given. */
export const settings = (): unknown => JSON.parse(process.argv[2] ?? "null")
