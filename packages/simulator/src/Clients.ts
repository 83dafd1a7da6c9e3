/**
 * Simulated clients: each has one caller or several who do one operation after another, and what they saw is the history.
 *
 * @since 0.1.0
 */
import * as RpcClient from "@effect/rpc/RpcClient"
import type * as Rpc from "@effect/rpc/Rpc"
import { Client, Endpoint } from "@synod/client"
import type { NodeId } from "@synod/paxos"
import { Answer, Command } from "@synod/state-machine"
import type { Caller, Outcome, StateMachine } from "@synod/state-machine"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import * as History from "./History.js"
import type { Network } from "./Network.js"
import type { Seeded } from "./Seeded.js"
import type { Simulated } from "./Subject.js"
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
  /** Unknown outcomes that were asked for: the command was applied, or never will be. */
  readonly resolved: () => { readonly applied: number; readonly withdrawn: number }
  /** Different queries that were asked, the first ones. */
  readonly queries: () => ReadonlyArray<Uint8Array>
  /** Clients start nothing new. */
  readonly stop: () => void
  /** Operations that are under way. */
  readonly busy: () => number
  /** Once they have stopped: all call at once and without a pause, a few times each, and must never be kept waiting. */
  readonly rush: () => void
  /** All is done that they rushed for. */
  readonly rushed: () => boolean
}

/** How long a client thinks between two operations, in milliseconds, on average. */
const thinking = 300

/** Callers that share one client, and so its session and its requests: mostly one, sometimes several. */
const atOnce = [1, 1, 4]

/** Queries that are remembered, for those who follow. */
const remembered = 8

/** What a client in a rush asks at once, and how often each of these asks again. */
const rush = { readers: 4, times: 6 }

/**
 * @since 0.1.0
 * @category constructors
 */
export const start = <Name extends string, Commands extends Rpc.Any, Queries extends Rpc.Any>(
  world: World,
  options: {
    readonly machine: Simulated<Name, Commands, Queries>
    readonly workload: Workload<Commands, Queries>
    readonly clients: number
    /** The deadline of a call and of one attempt at it, in milliseconds. */
    readonly config: { readonly deadline: number; readonly attempt: number }
    /** Replicas that it knows. */
    readonly nodes: ReadonlyArray<NodeId.NodeId>
    readonly network: Network
    readonly witness: Witness<any>
  }
): Clients => {
  const { machine, network, witness, workload } = options
  const recorder = History.recorder(world.now)
  const rushing = Deferred.unsafeMake<void>(FiberId.none)
  let answered = 0
  let busy = 0
  let running = true
  let rushed = 0

  type Api = StateMachine.Client<Commands, Queries>

  const resolved = { applied: 0, withdrawn: 0 }
  const queries = new Map<string, Uint8Array>()

  /** Writes down what goes through a caller. */
  const recorded = (client: string, caller: Caller.Caller, seeded: Seeded): Caller.Caller => {
    /** Calls that ended without an answer, by their token: somebody may yet ask for it. */
    const open = new Map<string, History.Call>()
    /** The last slot that held a command which was answered to this client, as the witness saw it. */
    let told = 0
    const called = (bytes: Uint8Array): History.Call => {
      const { payload, tag } = Either.getOrThrow(Command.decode(bytes))
      world.trace.event(`c${client}`, "calls", () => `${tag} ${JSON.stringify(payload) ?? ""}`, bytes)
      return recorder.call({ client, key: "", name: tag, input: payload })
    }
    const returned = (call: History.Call, bytes: Uint8Array): void => {
      const answer = Either.getOrThrow(Answer.decode(bytes))
      world.trace.event(`c${client}`, "hears", () => JSON.stringify(answer), bytes)
      answered++
      if (answer._tag === "Withdrawn") call.fail("it was withdrawn")
      else call.ok(answer)
    }
    const hears = (error: { readonly _tag: string; readonly message: string }): void =>
      world.trace.event(`c${client}`, "hears", () => `${error._tag}: ${error.message}`)

    const submit: Caller.Caller["submit"] = (command, note) =>
      Effect.suspend(() => {
        witness.submitted(command)
        const call = called(command)
        let token: Outcome.Token | undefined
        const noted = (given: Outcome.Token): void => {
          token = given
          note?.(given)
        }
        // Calls without a ticket are the common ones: their answers are let go when nobody waits for them any more.
        const asked = note !== undefined || seeded.chance(0.5)
        return Effect.onExit(caller.submit(command, asked ? noted : undefined), (exit) =>
          Effect.sync(() => {
            if (Exit.isSuccess(exit)) {
              if (token !== undefined) told = Math.max(told, witness.slotOf(token))
              return returned(call, exit.value)
            }
            if (exit.cause._tag !== "Fail") {
              // Interrupted: whoever has a ticket and no token knows that the call was never sent.
              if (token !== undefined) open.set(keyOf(token), call)
              else if (asked) call.fail("it was withdrawn before it was sent")
              else call.unknown()
              return
            }
            const { error } = exit.cause
            hears(error)
            if (error._tag === "OutcomeUnknown") open.set(keyOf(error.token), call)
            else if (error._tag === "SessionExpired") call.unknown()
            else call.fail(error.message)
          })
        )
      })

    const resolve: Caller.Caller["resolve"] = (token) =>
      Effect.tapBoth(caller.resolve(token), {
        onSuccess: (bytes) =>
          Effect.sync(() => {
            const answer = Either.getOrThrow(Answer.decode(bytes))
            world.trace.event(`c${client}`, "is told", () => `${keyOf(token)}: ${JSON.stringify(answer)}`, bytes)
            const call = open.get(keyOf(token))
            if (call === undefined || answer._tag === "Forgotten") return
            if (answer._tag === "Withdrawn") {
              resolved.withdrawn++
              return call.fail("it never will be applied")
            }
            resolved.applied++
            call.ok(answer)
          }),
        onFailure: (error) => Effect.sync(() => hears(error))
      })

    const query: Caller.Caller["query"] = (query, consistency) =>
      Effect.suspend(() => {
        if (queries.size < remembered) queries.set(query.join(), query)
        const floor = consistency === "stale" ? 0 : told
        const call = consistency === "linearizable" || consistency === "leased" ? called(query) : undefined
        return Effect.tapBoth(caller.query(query, consistency), {
          onSuccess: (bytes) =>
            Effect.sync(() => {
              if (call !== undefined) return returned(call, bytes)
              if (witness.shows(query, bytes, floor)) return
              const sentence = `client ${client} is shown no state from slot ${floor} on, whose command was answered to it`
              world.violate("reads see what the client was told", sentence)
            }),
          onFailure: (error) =>
            Effect.sync(() => {
              hears(error)
              call?.fail(error.message)
            })
        })
      })

    return { submit, resolve, query, follow: caller.follow, seen: caller.seen }
  }

  /**
   * Where nothing goes wrong, an answer that takes longer than one replica is given for it was lost, and came only since the
   * client asked again.
   */
  const prompt = (client: number, caller: Caller.Caller): Caller.Caller => {
    const timed = <A, E>(what: string, call: Effect.Effect<A, E>): Effect.Effect<A, E> =>
      Effect.suspend(() => {
        const since = world.now()
        return Effect.ensuring(
          call,
          Effect.sync(() => {
            const took = world.now() - since
            if (took < options.config.attempt) return
            const sentence = `client ${client} waits ${took} ms for the outcome of a ${what}, and no fault has struck for long`
            world.violate("prompt when all is well", sentence)
          })
        )
      })
    return {
      ...caller,
      submit: (command, note) => timed("command", caller.submit(command, note)),
      query: (query, consistency) => timed(`${consistency} query`, caller.query(query, consistency))
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
    const nodes = seeded.shuffle(options.nodes)
    const life = Effect.gen(function* () {
      const endpoints = new Map(
        yield* Effect.forEach(nodes, (node) =>
          Endpoint.fromRpc.pipe(
            Effect.provideService(RpcClient.Protocol, network.connect(process, node)),
            Effect.map((endpoint) => [node as number, endpoint] as const)
          )
        )
      )
      const reads = seeded.pick(["leader", "nearest"] as const)
      const caller = yield* Client.make(endpoints, { ...options.config, reads })
      const callers = seeded.pick(atOnce)
      let count = 0
      const apiOf = (name: string, through: Caller.Caller) =>
        Effect.provideService(machine.client, machine.caller, recorded(name, through, seeded.fork(`calls of ${name}`)))
      const oneAfterAnother = (name: string) =>
        Effect.gen(function* () {
          const api = yield* apiOf(name, caller)
          for (;;) {
            yield* Effect.sleep((-Math.log(1 - seeded.next()) * thinking * (1 + callers)) / 2)
            if (!running) return
            yield* once(api, client, count++, seeded)
          }
        })
      const names = Array.from({ length: callers }, (_, i) => (callers === 1 ? `${client}` : `${client}.${i + 1}`))
      yield* Effect.forEach(names, oneAfterAnother, { concurrency: "unbounded", discard: true })
      yield* Deferred.await(rushing)
      const hurried = prompt(client, caller)
      const api = yield* apiOf(`${client}.0`, hurried)
      const work = Effect.suspend(() => once(api, client, count++, seeded))
      // These answers are not held against the history: so many at once would take long to judge, and others were.
      const read = Effect.suspend(() => {
        const asked = Array.from(queries.values())
        return asked.length === 0 ? Effect.void : Effect.ignore(hurried.query(seeded.pick(asked), "linearizable"))
      })
      const all = [work, ...Array.from({ length: rush.readers }, () => read)]
      yield* Effect.forEach(all, Effect.repeatN(rush.times - 1), { concurrency: "unbounded", discard: true })
      rushed++
    })
    process.fork(Effect.scoped(life)).addObserver((exit) => {
      if (exit._tag === "Failure") world.violate("no defects", `client ${client} ends: ${oneLine(exit.cause)}`)
    })
  }

  return {
    history: recorder.history,
    answered: () => answered,
    resolved: () => resolved,
    queries: () => Array.from(queries.values()),
    stop: () => {
      running = false
    },
    busy: () => busy,
    rush: () => Deferred.unsafeDone(rushing, Effect.void),
    rushed: () => rushed === options.clients
  }
}

const keyOf = ({ sequence, session }: Outcome.Token): string => `${session}/${sequence}`

const oneLine = (cause: Cause.Cause<unknown>): string => Cause.pretty(cause).split("\n", 1)[0]!
