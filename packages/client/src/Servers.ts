/**
 * Replicas over TCP, as they come and go: the client is told of some, and learns from them who takes part and where they listen.
 *
 * ```
 *   client ── Status ──► all that it knows        now and then, and when a request is refused or lost
 *          ◄── epoch 7: 4 at …, 5 at …, 6 at … ── the latest that anybody tells: connections to these open, all others close
 * ```
 *
 * @since 0.1.0
 */
import type { Epoch } from "@synod/paxos"
import { Membership } from "@synod/paxos"
import { Address } from "@synod/wire"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import * as Scope from "effect/Scope"
import type { ClientConfig } from "./ClientConfig.js"
import * as Endpoint from "./Endpoint.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Servers {
  /** Those that are known now, by node: at least one. */
  readonly endpoints: ReadonlyMap<number, Endpoint.Endpoint>
  /** A request was refused or lost: there may be others by now. */
  readonly doubt: () => void
}

interface Server {
  readonly address: string
  readonly scope: Scope.CloseableScope
}

/**
 * Keeps connections to them for as long as the scope is open.
 *
 * @since 0.1.0
 * @category constructors
 */
export const tcp = (
  options: {
    readonly cluster: string
    /** Where replicas are that one is told of, by node. */
    readonly servers: Readonly<Record<number, Address.Place>>
  },
  config: Pick<ClientConfig, "attempt" | "look">
): Effect.Effect<Servers, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { cluster } = options
    const scope = yield* Effect.scope
    const runFork = Runtime.runFork(yield* Effect.runtime<never>())
    const clock = yield* Effect.clock
    const endpoints = new Map<number, Endpoint.Endpoint>()
    const servers = new Map<number, Server>()
    const told = new Map(Object.entries(options.servers).map(([node, place]) => [Number(node), Address.format(place)]))
    let known = 0
    let looking = false
    let looked = Number.NEGATIVE_INFINITY

    const open = (node: number, address: string) =>
      Effect.gen(function* () {
        const place = Address.parse(address)
        if (place === undefined || servers.get(node)?.address === address) return
        yield* close(node)
        const own = yield* Scope.fork(scope, ExecutionStrategy.sequential)
        const endpoint = yield* Scope.extend(Endpoint.tcp({ ...place, cluster }), own)
        servers.set(node, { address, scope: own })
        endpoints.set(node, endpoint)
      })

    /** In the background: what is under way there is given up. */
    const close = (node: number) =>
      Effect.suspend(() => {
        const server = servers.get(node)
        servers.delete(node)
        return server === undefined ? Effect.void : Effect.forkIn(Scope.close(server.scope, Exit.void), scope)
      })

    /** Not where nobody tells where any of them is: those that are known lead to them. */
    const enter = ({ membership, number }: Epoch.Epoch) =>
      Effect.gen(function* () {
        if (number <= known) return
        known = number
        const agreed = new Map<number, string>((membership.addresses ?? []).map(({ address, node }) => [node, address]))
        const places = Membership.nodes(membership).flatMap((node) => {
          const address = agreed.get(node) ?? told.get(node)
          return address === undefined ? [] : [{ node, address }]
        })
        if (places.length === 0) return
        for (const { address, node } of places) yield* open(node, address)
        for (const node of Array.from(endpoints.keys())) {
          if (places.some((place) => place.node === node)) continue
          endpoints.delete(node)
          yield* close(node)
        }
      })

    const look = Effect.gen(function* () {
      const answers = yield* Effect.forEach(
        Array.from(endpoints.values()),
        ({ status }) => Effect.option(Effect.timeout(status, config.attempt)),
        { concurrency: "unbounded" }
      )
      const epochs = answers.flatMap((answer) => (Option.isSome(answer) ? [answer.value.epoch] : []))
      for (const epoch of epochs.sort((a, b) => b.number - a.number).slice(0, 1)) yield* enter(epoch)
    })

    const once = Effect.suspend(() => {
      if (looking) return Effect.void
      looking = true
      return Effect.ensuring(
        look,
        Effect.sync(() => {
          looking = false
          looked = clock.unsafeCurrentTimeMillis()
        })
      )
    })

    yield* Effect.forEach(told, ([node, address]) => open(node, address), { discard: true })
    yield* Effect.forkScoped(Effect.forever(Effect.zipRight(Effect.sleep(config.look), once)))
    const pause = Duration.toMillis(config.look) / 10
    return {
      endpoints,
      doubt: () => {
        if (!looking && clock.unsafeCurrentTimeMillis() - looked >= pause) runFork(once, { scope })
      }
    }
  })
