/** The client processes of a run. */
import { Effect, Schema, Scope } from "effect"
import { readFileSync } from "node:fs"
import * as Path from "node:path"
import type { History } from "@synod/simulator"
import type { Ended } from "./Callers.js"
import * as Child from "./Child.js"
import * as Diary from "./Diary.js"
import type { Network } from "./Network.js"
import { type ClientSettings, host } from "./Settings.js"

export interface Clients {
  readonly names: ReadonlyArray<string>
  readonly pids: () => ReadonlyArray<number>
  readonly begin: (cycle: number) => Effect.Effect<void, Child.Gone>
  readonly end: Effect.Effect<Ended, Child.Gone>
  /** Each has a command answered that it makes now. */
  readonly probe: Effect.Effect<void, Child.Gone>
  readonly kill: (name: string) => Effect.Effect<void>
  readonly pause: (name: string) => Effect.Effect<void>
  readonly resume: (name: string) => Effect.Effect<void>
  /** Starts one that was killed, which joins in the cycle. */
  readonly start: (name: string) => Effect.Effect<void, Child.Gone>
  /** All that they have done since they were asked the last time. */
  readonly history: Effect.Effect<History.History>
}

/** The first asks leaders for its reads and is patient, the second asks followers and gives up soon. */
export const names = ["c1", "c2"]

export const make = (options: {
  readonly directory: string
  readonly nodes: ReadonlyArray<number>
  readonly network: Network
  readonly seed: number
  /** Modules that they load before their own. */
  readonly imports: ReadonlyArray<string>
}): Effect.Effect<Clients, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { directory, imports, network, nodes, seed } = options
    const scope = yield* Effect.scope
    const children = new Map<string, Child.Child>()
    const read = new Map<string, number>()
    const fileOf = (name: string) => Path.join(directory, `${name}.jsonl`)
    let cycle = 0

    const spawn = (name: string) =>
      Effect.gen(function* () {
        const members = Object.fromEntries(nodes.map((node) => [node, { host, port: network.port(name, node) }]))
        const nearest = nodes[names.indexOf(name) % nodes.length]!
        const settings: ClientSettings = { name, members, nearest, file: fileOf(name), seed }
        const log = Path.join(directory, `${name}.log`)
        children.set(name, yield* Child.start({ program: "client", settings, log, imports }))
      }).pipe(Scope.extend(scope))
    const of = (name: string) => children.get(name)!
    const each = (question: string, argument?: unknown) =>
      Effect.forEach(names, (name) => of(name).ask(question, argument), { concurrency: "unbounded" })

    yield* Effect.forEach(names, spawn, { discard: true })
    return {
      names,
      pids: () => [...children.values()].map(({ pid }) => pid),
      begin: (next) =>
        Effect.zipRight(
          Effect.sync(() => (cycle = next)),
          Effect.asVoid(each("begin", next))
        ),
      end: Effect.map(each("end"), (answers) =>
        answers
          .map((answer) => decodeEnded(answer))
          .reduce((sum, one) => ({
            applied: sum.applied + one.applied,
            withdrawn: sum.withdrawn + one.withdrawn,
            wrong: [...sum.wrong, ...one.wrong]
          }))
      ),
      probe: Effect.asVoid(each("probe")),
      kill: (name) => Effect.zipRight(of(name).signal("SIGKILL"), Effect.asVoid(of(name).ended)),
      pause: (name) => of(name).signal("SIGSTOP"),
      resume: (name) => of(name).signal("SIGCONT"),
      start: (name) =>
        Effect.suspend(() =>
          of(name).isRunning()
            ? Effect.void
            : Effect.zipRight(
                spawn(name),
                Effect.suspend(() => Effect.asVoid(of(name).ask("begin", cycle)))
              )
        ),
      history: Effect.sync(() =>
        names.flatMap((name) => {
          const bytes = readFileSync(fileOf(name))
          const text = bytes.subarray(read.get(name) ?? 0).toString("utf8")
          read.set(name, bytes.length)
          return Diary.read(text)
        })
      )
    }
  })

const decodeEnded = Schema.decodeUnknownSync(
  Schema.Struct({ applied: Schema.Int, withdrawn: Schema.Int, wrong: Schema.Array(Schema.String) })
)
