/**
 * What a quorum system is worth for given members: how many of them may fail in each phase, how likely it is that it can work,
 * and how long a command takes from where its client is.
 *
 * Members fail independently, and all alive sets are gone through, so that the figures are exact; systems that
 * `QuorumRule` can check are small enough. Times count messages only: no disk, no queue.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import type { NodeId } from "./NodeId.js"
import * as Quorum from "./Quorum.js"
import * as QuorumRule from "./QuorumRule.js"

/**
 * Where members are, and how often they are down.
 *
 * @since 0.1.0
 * @category models
 */
export interface Place {
  /** Groups of members that are near each other and fail together, such as zones; one if they are all alike. */
  readonly zones: ReadonlyArray<ReadonlyArray<NodeId>>
  /** How likely it is that a member is down at some moment, from 0 to 1. */
  readonly failure: (node: NodeId) => number
  /** Milliseconds from a member to another one and back. */
  readonly roundTrip: (from: NodeId, to: NodeId) => number
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Phase {
  /** So many members may be down, whichever they are. */
  readonly tolerates: number
  /** How likely it is that a quorum is alive. */
  readonly availability: number
}

/**
 * A system in the rounds in which it stays the same.
 *
 * @since 0.1.0
 * @category models
 */
export interface Plan {
  readonly system: string
  /** The first of these rounds, and the last; none where they go on for ever. */
  readonly rounds: { readonly from: number; readonly through: number | undefined }
  /** To elect a leader. */
  readonly prepare: Phase
  /** To decide a command. */
  readonly accept: Phase
  /** How likely it is that both can be done. */
  readonly availability: number
  /** The leader with which {@link mean} is lowest; nobody where every node prepares alone, and so leads itself. */
  readonly leader: NodeId | undefined
  /** Milliseconds until a command is decided, for a client beside each member, while a quorum and the leader are alive. */
  readonly commit: ReadonlyMap<NodeId, number>
  /** The mean of these over the members. */
  readonly mean: number
}

/**
 * A plan for each run of rounds of a system.
 *
 * @since 0.1.0
 * @category plans
 */
export const plan = (system: Quorum.QuorumSystem, place: Place): ReadonlyArray<Plan> =>
  [1, ...system.changesAt].map((round, i): Plan => {
    const prepares = (nodes: ReadonlySet<NodeId>) => system.isPrepareQuorum(round, nodes)
    const accepts = (nodes: ReadonlySet<NodeId>) => system.isAcceptQuorum(round, nodes)
    const alive = worlds(system.members, place)
    const likely = (isEnough: (nodes: ReadonlySet<NodeId>) => boolean) =>
      alive.reduce((sum, { likelihood, nodes }) => (isEnough(nodes) ? sum + likelihood : sum), 0)
    const phase = (isQuorum: (nodes: ReadonlySet<NodeId>) => boolean): Phase => ({
      tolerates: tolerates(system.members, alive, isQuorum),
      availability: likely(isQuorum)
    })
    const next = system.changesAt[i]
    return {
      system: system.name,
      rounds: { from: round, through: next === undefined ? undefined : next - 1 },
      prepare: phase(prepares),
      accept: phase(accepts),
      availability: likely((nodes) => prepares(nodes) && accepts(nodes)),
      ...fastest(
        system.members,
        place,
        alive,
        accepts,
        system.members.every((node) => prepares(new Set([node])))
      )
    }
  })

/**
 * The systems that are worth a thought for these members, those first with which commands are faster on average.
 *
 * @since 0.1.0
 * @category plans
 */
export const compare = (place: Place): ReadonlyArray<Plan> => {
  const members = place.zones.flat()
  const half = Math.floor(members.length / 2) + 1
  const systems: Array<Quorum.Made> = [Quorum.majority(members)]
  for (let accept = 1; accept < half; accept++) {
    systems.push(Quorum.flexible(members, { accept, prepare: members.length - accept + 1 }))
  }
  for (let rows = 2; rows * 2 <= members.length; rows++) {
    if (members.length % rows === 0) systems.push(Quorum.grid(members, { rows, columns: members.length / rows }))
  }
  if (place.zones.length > 1) {
    const all = { groups: place.zones.length }
    systems.push(Quorum.hierarchical(place.zones))
    systems.push(Quorum.hierarchical(place.zones, { prepare: all, accept: { groups: 1 } }))
  }
  if (members.length > 1) systems.push(Quorum.allAboard(members))
  return systems
    .filter(Either.isRight)
    .flatMap(({ right }) => plan(right, place))
    .sort((a, b) => a.mean - b.mean)
}

/**
 * The members that can be planned for.
 *
 * @since 0.1.0
 * @category constants
 */
export const most = QuorumRule.most

interface World {
  readonly nodes: ReadonlySet<NodeId>
  readonly likelihood: number
}

/** Every set of members that may be alive. */
const worlds = (members: ReadonlyArray<NodeId>, { failure }: Place): ReadonlyArray<World> =>
  members.reduce<ReadonlyArray<World>>(
    (worlds, node) =>
      worlds.flatMap(({ likelihood, nodes }) => [
        { nodes, likelihood: likelihood * failure(node) },
        { nodes: new Set([...nodes, node]), likelihood: likelihood * (1 - failure(node)) }
      ]),
    [{ nodes: new Set(), likelihood: 1 }]
  )

const tolerates = (
  members: ReadonlyArray<NodeId>,
  alive: ReadonlyArray<World>,
  isQuorum: (nodes: ReadonlySet<NodeId>) => boolean
): number => {
  const fatal = alive.filter(({ nodes }) => !isQuorum(nodes)).map(({ nodes }) => members.length - nodes.size)
  return Math.min(...fatal) - 1
}

const fastest = (
  members: ReadonlyArray<NodeId>,
  place: Place,
  alive: ReadonlyArray<World>,
  accepts: (nodes: ReadonlySet<NodeId>) => boolean,
  everybodyLeads: boolean
): Pick<Plan, "leader" | "commit" | "mean"> => {
  const alone = new Map(members.map((node) => [node, decided(node, members, place, alive, accepts)]))
  const mean = (commit: ReadonlyMap<NodeId, number>) =>
    Array.from(commit.values()).reduce((sum, time) => sum + time, 0) / members.length
  if (everybodyLeads) return { leader: undefined, commit: alone, mean: mean(alone) }
  const led = members.map((leader) => {
    const commit = new Map(members.map((node) => [node, trip(place, node, leader) + alone.get(leader)!]))
    return { leader, commit, mean: mean(commit) }
  })
  return led.reduce((best, other) => (other.mean < best.mean ? other : best))
}

/** How long this leader takes to hear from an accept quorum, on average over the worlds in which it can. */
const decided = (
  leader: NodeId,
  members: ReadonlyArray<NodeId>,
  place: Place,
  alive: ReadonlyArray<World>,
  accepts: (nodes: ReadonlySet<NodeId>) => boolean
): number => {
  const nearest = [...members].sort((a, b) => trip(place, leader, a) - trip(place, leader, b))
  let [time, weight] = [0, 0]
  for (const { likelihood, nodes } of alive) {
    if (!nodes.has(leader) || !accepts(nodes)) continue
    const heard = new Set<NodeId>()
    const last = nearest.find((node) => nodes.has(node) && accepts(heard.add(node)))
    time += likelihood * trip(place, leader, last!)
    weight += likelihood
  }
  return time / weight
}

const trip = ({ roundTrip }: Place, from: NodeId, to: NodeId): number => (from === to ? 0 : roundTrip(from, to))
