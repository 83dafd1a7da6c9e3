/** Journals in memory that outlive their replicas, with anything around them; and replicas that keep little of their logs. */
import { Journal, type JournalError } from "@synod/journal"
import type { NodeId } from "@synod/paxos"
import { ReplicaConfig } from "@synod/replica"
import { Effect, Layer } from "effect"
import type * as Cluster from "./Cluster.js"
import * as VirtualTime from "./VirtualTime.js"

type Service = Journal.Journal["Type"]

export interface Journals {
  /** For {@link Cluster.make}. */
  readonly of: (node: NodeId.NodeId) => Layer.Layer<Journal.Journal, JournalError.OpenError>
  /** What a journal that nobody has open holds. */
  readonly look: <A, E>(
    node: NodeId.NodeId,
    at: (journal: Service) => Effect.Effect<A, E>
  ) => Effect.Effect<A, E | JournalError.JournalLocked>
}

/** Replicas see what `around` makes of their journal, anew whenever they open it. */
export const inMemory = (around: (journal: Service, node: NodeId.NodeId) => Partial<Service>): Journals => {
  const disks = new Map<NodeId.NodeId, Journal.MemoryDisk>()
  return {
    of: (node) =>
      Layer.scoped(
        Journal.Journal,
        Effect.gen(function* () {
          const disk = disks.get(node) ?? (yield* Journal.makeMemoryDisk)
          disks.set(node, disk)
          const journal = yield* Journal.makeMemory(disk)
          return { ...journal, ...around(journal, node) }
        })
      ),
    look: (node, at) => Effect.scoped(Effect.flatMap(Journal.makeMemory(disks.get(node)!), at))
  }
}

/** A snapshot every ten slots, in pieces of a few dozen bytes, and no more log behind it than must be. */
const short: ReplicaConfig.Values = {
  ...ReplicaConfig.defaults,
  snapshotSlots: 10,
  margin: 0,
  chunk: 64,
  keep: 4,
  pin: "1 second"
}

/** Runs a test in virtual time, with replicas that take many snapshots and keep short logs. */
export const withShortLogs = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  effect.pipe(Effect.scoped, Effect.provideService(ReplicaConfig.ReplicaConfig, short), VirtualTime.provide)

/** Adds the numbers from one on to another, which is left out. */
export const add = (client: Cluster.TallyClient, from: number, to: number) =>
  Effect.forEach(
    Array.from({ length: to - from }, (_, i) => from + i),
    (n) => client.Add({ key: String(n) }),
    { discard: true }
  )
