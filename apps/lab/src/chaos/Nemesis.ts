/** Brings about the faults of a plan, and takes each of them back. */
import { Clock, Effect, Option } from "effect"
import type { Clients } from "./Clients.js"
import type { Cluster } from "./Cluster.js"
import type { Network, Party } from "./Network.js"
import type { Fault, Plan } from "./Plan.js"

export interface Site {
  readonly cluster: Cluster
  readonly clients: Clients
  readonly network: Network
}

/** Has the plan happen to the site, from now on. When it ends, the last fault was taken back. */
export const run = (plan: Plan, site: Site, told: (what: string) => void): Effect.Effect<void> =>
  Effect.gen(function* () {
    const begun = yield* Clock.currentTimeMillis
    const sitting = new Map<number, number>()
    const seating = yield* Effect.makeSemaphore(1)
    /** The replica on a seat; whoever sits there once, stays. */
    const nodeOn = (seat: number) =>
      Effect.gen(function* () {
        const known = sitting.get(seat)
        if (known !== undefined) return known
        const { index, leader } = plan.seats[seat]!
        const leading = yield* site.cluster.leader
        // Where all that is hit at once is to stay the few that were drawn, nobody sits twice.
        const taken = plan.mode === "several" ? new Set(sitting.values()) : new Set<number>()
        const free = site.cluster.nodes.filter((node) => !taken.has(node))
        const others = free.filter((node) => !Option.contains(leading, node))
        const node =
          leader && Option.isSome(leading) && !taken.has(leading.value)
            ? leading.value
            : (others.length > 0 ? others : free)[index % Math.max(1, others.length)]!
        sitting.set(seat, node)
        return node
      }).pipe(seating.withPermits(1))
    const one = (fault: Fault) =>
      Effect.gen(function* () {
        yield* Effect.sleep(Math.max(0, begun + fault.at - (yield* Clock.currentTimeMillis)))
        const node = yield* nodeOn(fault.seat)
        told(`${fault.kind} ${node}`)
        const { inflict, mend } = of(fault, node, site)
        yield* inflict
        yield* Effect.sleep(fault.for)
        yield* mend
        told(`${fault.kind} ${node} is over`)
      })
    // Seats are taken in the order of the faults.
    yield* Effect.forEach(plan.faults, one, { concurrency: plan.mode === "one" ? 1 : "unbounded", discard: true })
  })

/** Takes back whatever was done: all replicas and clients run, and all hear each other. */
export const heal = ({ clients, cluster, network }: Site): Effect.Effect<void> =>
  Effect.gen(function* () {
    yield* network.heal
    yield* Effect.forEach(clients.names, (name) => Effect.zipRight(clients.resume(name), clientStart(clients, name)))
    yield* Effect.forEach(
      cluster.nodes,
      (node) => cluster.resume(node).pipe(Effect.zipRight(cluster.empty(node)), Effect.zipRight(cluster.start(node))),
      { concurrency: "unbounded" }
    )
  })

const clientStart = (clients: Clients, name: string) => Effect.orDie(clients.start(name))

interface Reversible {
  readonly inflict: Effect.Effect<unknown>
  readonly mend: Effect.Effect<unknown>
}

const of = (fault: Fault, node: number, { clients, cluster, network }: Site): Reversible => {
  const others = cluster.nodes.filter((other) => other !== node)
  const other = others[fault.other % Math.max(1, others.length)] ?? node
  const name = clients.names[fault.other % clients.names.length]!
  const both = (a: Party, b: Party): Ways => [
    [a, b],
    [b, a]
  ]
  const cut = (ways: Ways): Reversible => ({
    inflict: Effect.forEach(ways, ([from, to]) => network.cut(from, to)),
    mend: Effect.forEach(ways, ([from, to]) => network.mend(from, to))
  })
  switch (fault.kind) {
    case "kill":
      return { inflict: cluster.kill(node), mend: cluster.start(node) }
    case "stop":
      return { inflict: cluster.stop(node), mend: Effect.zipRight(cluster.resume(node), cluster.start(node)) }
    case "pause":
      return { inflict: cluster.pause(node), mend: cluster.resume(node) }
    case "isolate":
      return cut(
        others.flatMap((other): Ways => {
          if (fault.direction === "both") return both(node, other)
          return fault.direction === "in" ? [[other, node]] : [[node, other]]
        })
      )
    case "oneWay":
      return cut([fault.direction === "in" ? [other, node] : [node, other]])
    case "chained":
      return cut(both(node, other))
    case "star": {
      // The hub is the other one: whoever is meant as the leader isn't it.
      const rest = cluster.nodes.filter((one) => one !== other)
      return cut(rest.flatMap((a) => rest.flatMap((b): Ways => (a === b ? [] : [[a, b]]))))
    }
    case "unheard":
      return cut(clients.names.flatMap((name) => both(name, node)))
    case "slow": {
      const ways = [...others, ...clients.names].flatMap((party) => both(node, party))
      const by = (milliseconds: number) => Effect.forEach(ways, ([from, to]) => network.slow(from, to, milliseconds))
      return { inflict: by(fault.delay), mend: by(0) }
    }
    case "reset": {
      const parties = [...others, ...clients.names]
      return { inflict: Effect.forEach(parties, (party) => network.reset(node, party)), mend: Effect.void }
    }
    case "full":
      return { inflict: cluster.fill(node), mend: cluster.empty(node) }
    case "clientKill":
      return { inflict: clients.kill(name), mend: clientStart(clients, name) }
    case "clientPause":
      return { inflict: clients.pause(name), mend: clients.resume(name) }
    case "outage":
      return {
        inflict: Effect.forEach(cluster.nodes, cluster.kill, { concurrency: "unbounded" }),
        mend: Effect.forEach(cluster.nodes, cluster.start, { concurrency: "unbounded" })
      }
  }
}

type Ways = ReadonlyArray<readonly [from: Party, to: Party]>
