/**
 * A process that was started here: it is signalled by its id, may be asked over a channel of its own, and is killed when the
 * scope closes.
 *
 * ```
 *   parent ── { id, question, argument } ──► child
 *          ◄── { id, answer } ──────────────
 * ```
 */
import { Data, Deferred, Effect, type Scope } from "effect"
import { fork } from "node:child_process"
import { createWriteStream } from "node:fs"
import { fileURLToPath } from "node:url"

export interface Child {
  readonly pid: number
  readonly signal: (signal: NodeJS.Signals) => Effect.Effect<void>
  readonly ask: (question: string, argument?: unknown) => Effect.Effect<unknown, Gone>
  /** Waits until it has ended. */
  readonly ended: Effect.Effect<Ended>
  readonly isRunning: () => boolean
  /** It has said that its own code runs and hears signals: until then a signal ends it as it ends any process. */
  readonly isUp: () => boolean
}

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** The process ended before it answered. */
export class Gone extends Data.TaggedError("Gone")<{ readonly program: string; readonly how: string }> {
  override get message() {
    return `The process ${this.program} ended (${this.how}) before it answered.`
  }
}

export interface Options {
  /** A module of this folder, by its name without extension. */
  readonly program: string
  readonly settings: unknown
  /** Where what it prints is added. */
  readonly log: string
  /** Modules that are loaded before its own. */
  readonly imports?: ReadonlyArray<string>
}

interface Question {
  readonly id: number
  readonly question: string
  readonly argument: unknown
}

interface Answer {
  readonly id: number
  readonly answer: unknown
}

export const start = (options: Options): Effect.Effect<Child, never, Scope.Scope> =>
  Effect.acquireRelease(spawn(options), (child) => Effect.zipRight(child.signal("SIGKILL"), child.ended))

const spawn = ({ imports = [], log, program, settings }: Options): Effect.Effect<Child> =>
  Effect.gen(function* () {
    const ended = yield* Deferred.make<Ended>()
    const waiting = new Map<number, (outcome: Effect.Effect<unknown, Gone>) => void>()
    let next = 0
    const process = fork(fileURLToPath(new URL(`./${program}.js`, import.meta.url)), [JSON.stringify(settings)], {
      execArgv: imports.flatMap((module) => ["--import", module]),
      serialization: "advanced",
      stdio: ["ignore", "pipe", "pipe", "ipc"]
    })
    const said = createWriteStream(log, { flags: "a" })
    process.stdout?.pipe(said, { end: false })
    process.stderr?.pipe(said, { end: false })
    let up = false
    process.on("message", (message: Answer | typeof upNow) => {
      if (message === upNow) {
        up = true
        return
      }
      const { answer, id } = message
      const end = waiting.get(id)
      waiting.delete(id)
      end?.(Effect.succeed(answer))
    })
    const isRunning = () => process.pid !== undefined && process.exitCode === null && process.signalCode === null
    const gone = () => new Gone({ program, how: process.signalCode ?? `exit code ${process.exitCode}` })
    const over = (how: Ended): void => {
      Deferred.unsafeDone(ended, Effect.succeed(how))
      for (const end of waiting.values()) end(gone())
      waiting.clear()
    }
    process.on("error", () => {
      if (process.pid === undefined) over({ code: null, signal: null })
    })
    process.once("exit", (code, signal) => over({ code, signal }))
    process.once("close", () => said.end())
    return {
      pid: process.pid ?? 0,
      signal: (signal) => Effect.sync(() => void (isRunning() && process.kill(signal))),
      ask: (question, argument) =>
        Effect.async((resume) => {
          if (!isRunning() || !process.connected) return resume(gone())
          const id = next++
          waiting.set(id, resume)
          const asked: Question = { id, question, argument }
          process.send(asked, (error) => error && waiting.delete(id) && resume(gone()))
        }),
      ended: Deferred.await(ended),
      isRunning,
      isUp: () => up
    }
  })

const upNow = "up"

/** In the child: its code runs, and hears signals. */
export const isUp = (): void => void process.send?.(upNow)

/** In the child: answers questions until its parent goes. */
export const serve = (questions: Readonly<Record<string, (argument: never) => Promise<unknown>>>): void => {
  process.on("message", ({ argument, id, question }: Question) => {
    const answer = questions[question] as ((argument: unknown) => Promise<unknown>) | undefined
    void answer?.(argument).then((answer) => process.connected && process.send?.({ id, answer } satisfies Answer))
  })
  process.on("disconnect", () => process.kill(process.pid, "SIGKILL"))
}
