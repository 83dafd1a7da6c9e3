/**
 * Simulated clients: each has one caller or several who do one operation after another, and what they saw is the history.
 *
 * @since 0.1.0
 */
import * as RpcClient from "@effect/rpc/RpcClient"
import type * as Rpc from "@effect/rpc/Rpc"
import { Client, type ClientConfig, Endpoint } from "@synod/client"
import type { Quorum } from "@synod/paxos"
import { Answer, Command } from "@synod/state-machine"
import type { Caller, StateMachine } from "@synod/state-machine"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as History from "./History.js"
import type { Network } from "./Network.js"
import type { Seeded } from "./Seeded.js"
import type { Witness } from "./Witness.js"
import type { World } from "./World.js"

/**
 * What an operation of a workload finds besides the client.
 *
 * @since 0.1.0
 * @category models
 */
export interface Context {
  /** Chance, from the seed. */
  readonly seeded: Seeded
  /** The client, from 1. */
  readonly client: number
  /** How many operations this client has done before. */
  readonly count: number
}

/**
 * One operation of a client. Errors are outcomes like any other: a simulated client goes on after each.
 *
 * @since 0.1.0
 * @category models
 */
export type Workload<Commands extends Rpc.Any, Queries extends Rpc.Any> = (
  client: StateMachine.Client<Commands, Queries>,
  context: Context
) => Effect.Effect<unknown, unknown>

/**
 * @since 0.1.0
 * @category models
 */
export interface Clients {
  readonly history: () => History.History
  /** Operations that were answered. */
  readonly answered: () => number
  /** Clients start nothing new. */
  readonly stop: () => void
  /** Operations that are under way. */
  readonly busy: () => number
}

/** How long a client thinks between two operations, in milliseconds, on average. */
const thinking = 200

/** Callers that share one client, and so its session and its requests: mostly one, sometimes several. */
const atOnce = [1, 1, 4]

/**
 * @since 0.1.0
 * @category constructors
 */
export const start = <Name extends string, State, Commands extends Rpc.Any, Queries extends Rpc.Any>(
  world: World,
  options: {
    readonly machine: StateMachine.StateMachine<Name, State, Commands, Queries>
    readonly workload: Workload<Commands, Queries>
    readonly clients: number
    readonly config: Partial<ClientConfig.ClientConfig>
    readonly quorums: Quorum.QuorumSystem
    readonly network: Network
    readonly witness: Witness<State>
  }
): Clients => {
  const { machine, network, quorums, witness, workload } = options
  const recorder = History.recorder(world.now)
  let answered = 0
  let busy = 0
  let running = true

  type Api = StateMachine.Client<Commands, Queries>

  /** Writes down what goes through a caller. */
  const recorded = (client: string, caller: Caller.Caller): Caller.Caller => {
    const called = (bytes: Uint8Array): History.Call => {
      const { payload, tag } = Either.getOrThrow(Command.decode(bytes))
      world.trace.event(`c${client}`, "calls", () => `${tag} ${JSON.stringify(payload) ?? ""}`, bytes)
      return recorder.call({ client, key: "", name: tag, input: payload })
    }
    const returned = (call: History.Call) => (bytes: Uint8Array) => {
      const answer = Either.getOrThrow(Answer.decode(bytes))
      world.trace.event(`c${client}`, "hears", () => JSON.stringify(answer), bytes)
      answered++
      call.ok(answer)
    }
    const failed = (call: History.Call) => (error: { readonly _tag: string; readonly message: string }) => {
      world.trace.event(`c${client}`, "hears", () => `${error._tag}: ${error.message}`)
      if (error._tag === "OutcomeUnknown") call.unknown()
      else call.fail(error.message)
    }
    return {
      submit: (command) =>
        Effect.suspend(() => {
          witness.submitted(command)
          const call = called(command)
          return Effect.tapBoth(caller.submit(command), {
            onSuccess: (bytes) => Effect.sync(() => returned(call)(bytes)),
            onFailure: (error) => Effect.sync(() => failed(call)(error))
          })
        }),
      query: (query, consistency) =>
        consistency === "stale"
          ? caller.query(query, consistency)
          : Effect.suspend(() => {
              const call = called(query)
              return Effect.tapBoth(caller.query(query, consistency), {
                onSuccess: (bytes) => Effect.sync(() => returned(call)(bytes)),
                onFailure: (error) => Effect.sync(() => failed(call)(error))
              })
            })
    }
  }

  const once = (api: Api, client: number, count: number, seeded: Seeded) =>
    Effect.gen(function* () {
      busy++
      const exit = yield* Effect.exit(workload(api, { seeded, client, count }))
      busy--
      if (exit._tag === "Failure" && Cause.isDie(exit.cause)) {
        world.violate("the workload is sound", `operation ${count} of client ${client} dies: ${oneLine(exit.cause)}`)
      }
    })

  for (let client = 1; client <= options.clients; client++) {
    const process = world.process(`c${client}`)
    const seeded = world.seeded.fork(`client ${client}`)
    const nodes = seeded.shuffle(quorums.members)
    const life = Effect.gen(function* () {
      const endpoints = new Map(
        yield* Effect.forEach(nodes, (node) =>
          Endpoint.fromRpc.pipe(
            Effect.provideService(RpcClient.Protocol, network.connect(process, node)),
            Effect.map((endpoint) => [node as number, endpoint] as const)
          )
        )
      )
      const caller = yield* Client.make(endpoints, options.config)
      const callers = seeded.pick(atOnce)
      let count = 0
      const oneAfterAnother = (name: string) =>
        Effect.gen(function* () {
          const api = yield* Effect.provideService(machine.client, machine.caller, recorded(name, caller))
          for (;;) {
            yield* Effect.sleep((-Math.log(1 - seeded.next()) * thinking * (1 + callers)) / 2)
            if (!running) return
            yield* once(api, client, count++, seeded)
          }
        })
      const names = Array.from({ length: callers }, (_, i) => (callers === 1 ? `${client}` : `${client}.${i + 1}`))
      yield* Effect.forEach(names, oneAfterAnother, { concurrency: "unbounded", discard: true })
    })
    process.fork(Effect.scoped(life)).addObserver((exit) => {
      if (exit._tag === "Failure") world.violate("no defects", `client ${client} ends: ${oneLine(exit.cause)}`)
    })
  }

  return {
    history: recorder.history,
    answered: () => answered,
    stop: () => {
      running = false
    },
    busy: () => busy
  }
}

const oneLine = (cause: Cause.Cause<unknown>): string => Cause.pretty(cause).split("\n", 1)[0]!
