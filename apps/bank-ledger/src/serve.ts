/**
 * One replica of the bank as a process of its own, until it is told to stop.
 */
import { SqliteJournal } from "@synod/journal"
import type { QuorumSpec } from "@synod/paxos"
import { Replica, Socket } from "@synod/replica"
import { Console, Effect, Layer } from "effect"
import { Bank } from "./Bank.js"
import { BankLive } from "./BankLive.js"

export interface Options {
  readonly cluster: string
  readonly node: number
  /** Where each replica listens, by node. */
  readonly members: Socket.Members
  /** What it does while its journal holds nothing. */
  readonly begin: NonNullable<Socket.Options["begin"]>
  /** Which sets of them decide. */
  readonly quorums: QuorumSpec.QuorumSpec
  /** The journal's file. */
  readonly journal: string
}

/** Ends only when interrupted, or with the reason why the replica stopped. */
export const serve = ({ begin, cluster, journal, members, node, quorums }: Options) =>
  Effect.gen(function* () {
    const replica = yield* Replica.Replica
    const address = members[node]!
    yield* Console.log(`replica ${node} of ${cluster} listens on ${address.host}:${address.port}, journal ${journal}`)
    return yield* replica.stopped
  }).pipe(
    Effect.provide(
      Replica.layer(Bank).pipe(
        Layer.provide([
          BankLive,
          Socket.layer({ cluster, node, members, quorums, begin }),
          SqliteJournal.layer({ filename: journal })
        ])
      )
    )
  )
