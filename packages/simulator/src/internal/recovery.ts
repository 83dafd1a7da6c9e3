/**
 * What whole replicas must do once nothing goes wrong any more: settle on a leader, answer clients, come to hold the same,
 * show it to those who follow, and keep nobody waiting.
 *
 * @internal
 */
import type { ClientRpcs } from "@synod/client"
import { Membership, NodeId } from "@synod/paxos"
import * as Effect from "effect/Effect"
import type { Core } from "../Atlas.js"
import type { Clients } from "../Clients.js"
import type { Followers } from "../Followers.js"
import type { Machines } from "../Machines.js"
import type { Partition } from "../Partition.js"
import type { World } from "../World.js"
import type { Chronicle } from "./chronicle.js"

/** What is expected of whom. */
interface Expected {
  readonly core: Core
  readonly until: number
  /** Those that are left could decide: a membership that was asked for last may yet come about, of nodes that are gone. */
  readonly survives: () => boolean
}

/** How often it is looked whether somebody leads, in milliseconds. */
const look = 20

const statuses = (machines: Machines): ReadonlyArray<ClientRpcs.Status> =>
  machines.all.flatMap(({ replica }) => (replica === undefined ? [] : [Effect.runSync(replica.status)]))

/** Somebody leads the newest epoch, and a quorum that it reaches in both directions has promised to nobody since. */
const isSettled = (replicas: ReadonlyArray<ClientRpcs.Status>, epochs: Chronicle, partition: Partition): boolean =>
  replicas.some((leader) => {
    const newest = epochs.memberships.length
    if (leader.phase !== "Leading" || leader.epoch.number !== newest) return false
    const own = NodeId.make(leader.node)
    const following = replicas
      .filter(({ epoch }) => epoch.number === newest)
      .filter(({ promised, trouble }) => promised === leader.promised && trouble === undefined)
      .map(({ node }) => NodeId.make(node))
      .filter((node) => partition(own, node) && partition(node, own))
    return epochs.quorums(newest).isAcceptQuorum(Number.parseInt(leader.promised), new Set(following))
  })

/** Somebody leads, whatever links stay cut. @internal */
export const settles = (
  world: World,
  machines: Machines,
  { core, epochs, survives, until }: Expected & { readonly epochs: Chronicle }
): void => {
  let looked = 0
  let settled = false
  world.run(until, () => {
    if (world.now() < looked + look) return settled
    looked = world.now()
    settled = isSettled(statuses(machines), epochs, core.partition)
    return settled
  })
  if (settled || !survives()) return
  world.violate(
    "settles",
    `with the core ${core.kind}, nobody leads a quorum that it reaches, long after the last fault`
  )
}

/** Clients are answered again: one command more for each of them would do, since each has at most one under way. @internal */
export const liveAgain = (
  world: World,
  clients: Clients,
  { core, goal, survives, until }: Expected & { readonly goal: number }
): void => {
  world.run(until, () => clients.answered() >= goal)
  if (clients.answered() >= goal || !survives()) return
  world.violate("live again", `with the core ${core.kind}, clients get no answers, long after the last fault`)
}

/** All members that run come to hold the same. @internal */
export const levels = (world: World, machines: Machines, epochs: Chronicle, until: number): void => {
  const applied = (): ReadonlyArray<number> =>
    machines.all
      .filter(({ lost, node }) => !lost && Membership.isMember(epochs.present(), node))
      .map(({ replica }) => (replica === undefined ? -1 : Effect.runSync(replica.status).appliedThrough))
  const equal = (): boolean => new Set(applied()).size === 1 && applied()[0] !== -1
  world.run(until, equal)
  if (!equal()) {
    world.violate("catching up", `replicas have applied ${applied().join(", ")} slots, and come no nearer`)
  }
}

/** Whoever follows comes to the end of what there is. @internal */
export const followed = (world: World, followers: Followers, until: number): void => {
  followers.settle()
  world.run(until, followers.done)
  if (followers.done()) return
  world.violate("followers come to the end", "those who follow were not shown all that was applied")
}

/** Where nothing goes wrong, nobody waits: an answer that is lost for good would else be hidden by the client's next attempt. @internal */
export const prompt = (world: World, clients: Clients, until: number): void => {
  clients.rush()
  world.run(until, clients.rushed)
  if (clients.rushed()) return
  world.violate("prompt when all is well", "clients that call without a pause do not come to an end")
}
