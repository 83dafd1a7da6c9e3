/**
 * Simulated followers: each follows what is applied, or a query's answers, at one replica after the other, and holds every
 * element against what the witness saw.
 *
 * ```
 *   from now, or from a slot ──► elements … interrupted ──► after the last one: elements … refused, it is trimmed ──► after that
 *                                  each must be the very next one that there is
 * ```
 *
 * @since 0.1.0
 */
import * as RpcClient from "@effect/rpc/RpcClient"
import { Client, type ClientConfig, Endpoint } from "@synod/client"
import type { NodeId } from "@synod/paxos"
import type { Caller, Feed } from "@synod/state-machine"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Network } from "./Network.js"
import type { Seeded } from "./Seeded.js"
import type { Witness } from "./Witness.js"
import type { World } from "./World.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Followers {
  /** Elements that were shown: commands, and answers to queries. */
  readonly shown: () => { readonly commands: number; readonly answers: number }
  /** How often one was told that what it asked for is in no log any more. */
  readonly refused: () => number
  /** From now on nobody begins anew. */
  readonly settle: () => void
  /** Everybody has been shown all that there is. */
  readonly done: () => boolean
}

/** What one of them follows, and how far it has come. */
interface Following {
  readonly query: Uint8Array | undefined
  last: Feed.Position | undefined
  /** The query's answer there. */
  answer: Uint8Array | undefined
}

/** How long it follows in one go, and how long it waits then, in milliseconds at most: sometimes no more than a few pages. */
const patience = [50, 3_000]
const pause = 500

/** So often in a row a replica may say at once that there is nothing: clocks jump. */
const inVain = 8

const property = "followers are shown what was applied, once and in order"

/**
 * @since 0.1.0
 * @category constructors
 */
export const start = <State>(
  world: World,
  options: {
    readonly followers: number
    readonly config: Partial<ClientConfig.ClientConfig>
    /** Replicas that it knows. */
    readonly nodes: ReadonlyArray<NodeId.NodeId>
    readonly network: Network
    readonly witness: Witness<State>
    /** Queries that clients have asked. */
    readonly queries: () => ReadonlyArray<Uint8Array>
  }
): Followers => {
  const { network, queries, witness } = options
  const shown = { commands: 0, answers: 0 }
  const all: Array<Following> = []
  let refused = 0
  let settled = false

  const take = (name: string, following: Following, record: Feed.Record): void => {
    world.trace.event(name, "is shown", () => `slot ${record.slot}, command ${record.index}`, record.answer)
    const { answer, last, query } = following
    const wrong =
      query === undefined ? witness.faultOfCommand(record, last) : witness.faultOfAnswer(record, query, last, answer)
    if (wrong !== undefined) world.violate(property, `follower ${name} is shown ${wrong}`)
    following.last = query === undefined ? { slot: record.slot, index: record.index } : { slot: record.slot }
    following.answer = record.answer
    if (query === undefined) shown.commands++
    else shown.answers++
  }

  const isTrimmed = (name: string, following: Following, { earliest }: Feed.FeedTrimmed): void => {
    refused++
    world.trace.event(name, "is refused", () => `what came before slot ${earliest}`)
    const slot = following.last?.slot ?? 0
    if (witness.trimmed() === 0 || earliest < slot) {
      world.violate(property, `follower ${name} asks for what came after slot ${slot}, and is told that it is trimmed`)
    }
    following.last = { slot: earliest }
    following.answer = undefined
  }

  /** Who says at once that there is nothing is asked again at once. */
  const waiting = (name: string, endpoint: Endpoint.Endpoint): Endpoint.Endpoint => {
    let idle = 0
    return {
      ...endpoint,
      follow: (request) =>
        Effect.suspend(() => {
          const { after, wait } = request
          const asked = world.now()
          return Effect.tap(endpoint.follow(request), ({ through }) =>
            Effect.sync(() => {
              const came = through.slot !== after?.slot || through.index !== after.index
              idle = came || world.now() - asked > wait / 2 ? 0 : idle + 1
              if (idle < inVain) return
              const sentence = `follower ${name} is told ${idle} times on end, at once, that nothing came after slot ${through.slot}`
              world.violate("those who follow wait for news", sentence)
            })
          )
        })
    }
  }

  /** One go at it, interrupted after a while. */
  const follow = (name: string, caller: Caller.Caller, following: Following, seeded: Seeded) =>
    caller.follow({ query: following.query, after: following.last }).pipe(
      Stream.runForEach((record) => Effect.sync(() => take(name, following, record))),
      Effect.timeoutOption(seeded.next() * seeded.pick(patience)),
      Effect.catchAll((error) =>
        Effect.sync(() => {
          world.trace.event(name, "hears", () => `${error._tag}: ${error.message}`)
          if (error._tag === "FeedTrimmed") isTrimmed(name, following, error)
        })
      )
    )

  const isDone = ({ answer, last, query }: Following): boolean =>
    query === undefined ? !witness.hasCommandAfter(last) : !witness.hasAnswerAfter(query, last, answer)

  const begin = (seeded: Seeded): Following => {
    const asked = queries()
    return {
      query: asked.length > 0 && seeded.chance(0.5) ? seeded.pick(asked) : undefined,
      last: seeded.chance(0.3) ? undefined : { slot: seeded.below(witness.applied() + 1) },
      answer: undefined
    }
  }

  for (let n = 1; n <= options.followers; n++) {
    const name = `f${n}`
    const process = world.process(name)
    const seeded = world.seeded.fork(`follower ${n}`)
    const life = Effect.gen(function* () {
      const endpoints = new Map(
        yield* Effect.forEach(seeded.shuffle(options.nodes), (node) =>
          Endpoint.fromRpc.pipe(
            Effect.provideService(RpcClient.Protocol, network.connect(process, node)),
            Effect.map((endpoint) => [node as number, waiting(name, endpoint)] as const)
          )
        )
      )
      const page = seeded.pick([1, 200, 65_536])
      // The same position again, as another process would ask for it: at another replica first.
      const callers = [
        yield* Client.make(endpoints, { ...options.config, page }),
        yield* Client.make(new Map(Array.from(endpoints).reverse()), { ...options.config, page })
      ]
      for (;;) {
        const following = begin(seeded)
        all[n - 1] = following
        for (let goes = 1 + seeded.below(4); goes > 0 || settled; goes--) {
          // There may be room for one query only: in the end each leaves it to the others.
          if (!settled || !isDone(following)) yield* follow(name, seeded.pick(callers), following, seeded)
          yield* Effect.sleep(seeded.next() * pause)
        }
      }
    })
    process.fork(Effect.scoped(life)).addObserver((exit) => {
      if (exit._tag === "Failure") {
        world.violate("no defects", `follower ${name} ends: ${Cause.pretty(exit.cause).split("\n", 1)[0]!}`)
      }
    })
  }

  return {
    shown: () => shown,
    refused: () => refused,
    settle: () => {
      settled = true
    },
    done: () => all.every(isDone)
  }
}
