/**
 * What the callers of a client process do, and what they write down of it.
 *
 * In each cycle, callers of all processes meet on a few registers and on one text; others append to a text of their own, as
 * fast as they are answered but for a short rest: they are the load.
 */
import { Consistency, Ticket } from "@synod/state-machine"
import type { Outcome, StateMachine } from "@synod/state-machine"
import type { Seeded } from "@synod/simulator"
import { Effect, FiberSet, Option, type Scope } from "effect"
import type { Diary } from "./Diary.js"
import type { Texts } from "./Texts.js"

/** Callers of one process that meet others, and that are load. */
const meeting = 4
const loading = 6

/** How long a caller rests between two operations, in milliseconds on average. */
const rests = { meeting: 12, loading: 4 }

/** How often a command is given up before it is answered, and after how many milliseconds at most. */
const givesUp = { share: 0.05, after: 40 }

/** Outcomes that are asked for at once. */
const resolving = 8

const registers = ["r0", "r1"]

export interface Callers {
  readonly begin: (cycle: number) => Effect.Effect<void>
  /** Waits for what is under way, and asks what became of all whose outcome is unknown. */
  readonly end: Effect.Effect<Ended>
  /** Makes commands until one succeeds. */
  readonly probe: Effect.Effect<void>
}

export interface Ended {
  /** Unknown outcomes that were asked for: the command was applied, or never will be. */
  readonly applied: number
  readonly withdrawn: number
  /** Outcomes that no client should ever get, in words. */
  readonly wrong: ReadonlyArray<string>
}

type Api = StateMachine.ClientOf<typeof Texts>
type Command = Effect.Effect<void, Effect.Effect.Error<ReturnType<Api["Swap"]>>>

/** `patient` makes the commands of probes. */
export const make = (
  { api, patient }: { readonly api: Api; readonly patient: Api },
  options: { readonly name: string; readonly diary: Diary; readonly seeded: Seeded.Seeded }
): Effect.Effect<Callers, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { diary, name, seeded } = options
    const fibers = yield* FiberSet.make()
    const unresolved = new Map<string, Outcome.Token>()
    const wrong: Array<string> = []
    let cycle = 0
    let running = false

    /** Writes down a command and what becomes of it; succeeds with whether it did. */
    const command = (client: string, key: string, f: string, input: unknown, effect: Command, patience?: number) =>
      Effect.gen(function* () {
        const id = diary.call({ client, key, name: f, input })
        const failed = (reason: string | null) =>
          Effect.as(
            Effect.sync(() => diary.end(id, "failed", reason)),
            false
          )
        const ticket = yield* Ticket.make
        const answering =
          patience === undefined ? Effect.asSome(effect) : Effect.timeoutOption(Ticket.hold(ticket)(effect), patience)
        return yield* answering.pipe(
          Effect.flatMap((answer) =>
            Option.isSome(answer)
              ? Effect.as(
                  Effect.sync(() => diary.end(id, "ok", null)),
                  true
                )
              : Effect.flatMap(ticket.token, (token) => {
                  if (Option.isNone(token)) return failed("it was withdrawn before it was sent")
                  return Effect.as(
                    Effect.sync(() => unresolved.set(id, token.value)),
                    false
                  )
                })
          ),
          Effect.catchTags({
            Differs: () => failed(null),
            Unavailable: ({ message }) => failed(message),
            Overloaded: ({ message }) => failed(message),
            CommandDefect: ({ message }) =>
              Effect.zipRight(
                Effect.sync(() => wrong.push(message)),
                failed(message)
              ),
            OutcomeUnknown: ({ token }) =>
              Effect.as(
                Effect.sync(() => unresolved.set(id, token)),
                false
              ),
            SessionExpired: () => Effect.succeed(false)
          })
        )
      })

    const read = (client: string, key: string) =>
      Effect.gen(function* () {
        const id = diary.call({ client, key, name: "read", input: null })
        return yield* Consistency.linearizable(api.Read({ name: key })).pipe(
          Effect.tap((text) => Effect.sync(() => diary.end(id, "ok", text))),
          Effect.catchAll(({ _tag, message }) =>
            Effect.sync(() => {
              if (_tag === "CommandDefect") wrong.push(message)
              diary.end(id, "failed", message)
              return null
            })
          )
        )
      })

    const append = (
      client: string,
      key: string,
      item: string,
      { by = api, patience }: { readonly by?: Api; readonly patience?: number | undefined } = {}
    ) => command(client, key, "append", item, by.Append({ name: key, text: item }), patience)

    const rest = (chance: Seeded.Seeded, average: number) => Effect.sleep(-Math.log(1 - chance.next()) * average)

    const whileRunning = (body: (count: number) => Effect.Effect<unknown>) => {
      let count = 0
      return Effect.whileLoop({ while: () => running, body: () => body(count++), step: () => {} })
    }

    const meets = (client: string, chance: Seeded.Seeded) => {
      const seen = new Map<string, string | null>()
      return whileRunning((count) => {
        const value = `${client}.${count}`
        const register = `${cycle}/${chance.pick(registers)}`
        const patience = chance.chance(givesUp.share) ? 1 + chance.below(givesUp.after) : undefined
        const roll = chance.next()
        const operation = (): Effect.Effect<unknown> => {
          if (roll < 0.3) return Effect.map(read(client, register), (text) => seen.set(register, text))
          const write = api.Write({ name: register, text: value })
          if (roll < 0.45) return command(client, register, "write", value, write, patience)
          if (roll < 0.65) {
            const from = seen.get(register) ?? null
            const swap = api.Swap({ name: register, from, to: value })
            return Effect.map(
              command(client, register, "cas", [from, value], swap, patience),
              (swapped) => swapped && seen.set(register, value)
            )
          }
          return roll < 0.8 ? read(client, `${cycle}/t`) : append(client, `${cycle}/t`, `${value};`, { patience })
        }
        return Effect.zipRight(rest(chance, rests.meeting), operation())
      })
    }

    const loads = (client: string, chance: Seeded.Seeded) =>
      whileRunning((count) =>
        Effect.zipRight(rest(chance, rests.loading), append(client, `${cycle}/b-${client}`, `${client}.${count};`))
      )

    const resolve = ([id, token]: readonly [string, Outcome.Token]): Effect.Effect<"applied" | "withdrawn" | "lost"> =>
      api.resolve(token).pipe(
        Effect.map(({ _tag }) => {
          if (_tag === "Applied") diary.end(id, "ok", null)
          else diary.end(id, "failed", "it never will be applied")
          return _tag === "Applied" ? ("applied" as const) : ("withdrawn" as const)
        }),
        Effect.catchTags({
          Differs: () =>
            Effect.as(
              Effect.sync(() => diary.end(id, "failed", null)),
              "applied" as const
            ),
          CommandDefect: ({ message }) =>
            Effect.as(
              Effect.sync(() => wrong.push(message)),
              "lost" as const
            ),
          SessionExpired: () => Effect.succeed("lost" as const),
          OutcomeUnknown: () => resolve([id, token]),
          Overloaded: ({ retryAfter }) => Effect.delay(resolve([id, token]), retryAfter)
        })
      )

    return {
      begin: (next) =>
        Effect.gen(function* () {
          cycle = next
          running = true
          const of = (kind: string, count: number) => Array.from({ length: count }, (_, i) => `${name}-${kind}${i}`)
          const chanceOf = (client: string) => seeded.fork(`${client} in ${next}`)
          for (const client of of("m", meeting)) yield* FiberSet.run(fibers, meets(client, chanceOf(client)))
          for (const client of of("l", loading)) yield* FiberSet.run(fibers, loads(client, chanceOf(client)))
        }),
      end: Effect.gen(function* () {
        running = false
        yield* FiberSet.awaitEmpty(fibers)
        const outcomes = yield* Effect.forEach(unresolved, resolve, { concurrency: resolving })
        unresolved.clear()
        const count = (of: string) => outcomes.filter((outcome) => outcome === of).length
        return { applied: count("applied"), withdrawn: count("withdrawn"), wrong: wrong.splice(0) }
      }),
      probe: Effect.suspend(() => {
        let tries = 0
        return Effect.repeat(
          Effect.suspend(() => append(`${name}-p`, `${cycle}/b-${name}-p`, `${name}-p.${tries++};`, { by: patient })),
          { until: (succeeded) => succeeded }
        )
      })
    }
  })
