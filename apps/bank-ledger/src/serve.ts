/**
 * One replica of the bank as a process of its own, until it is told to stop.
 */
import { SqliteJournal } from "@synod/journal"
import { NodeId } from "@synod/paxos"
import { Replica, Socket } from "@synod/replica"
import { Console, Effect, Layer } from "effect"
import { Bank } from "./Bank.js"
import { BankLive } from "./BankLive.js"

export interface Options {
  readonly cluster: string
  readonly node: number
  /** Where each replica listens, by node. */
  readonly members: Readonly<Record<number, { readonly host: string; readonly port: number }>>
  /** The journal's file. */
  readonly journal: string
}

/** Ends only when interrupted, or with the reason why the replica stopped. */
export const serve = ({ cluster, journal, members, node }: Options) =>
  Effect.gen(function*() {
    const replica = yield* Replica.Replica
    const address = members[node]!
    yield* Console.log(`replica ${node} of ${cluster} listens on ${address.host}:${address.port}, journal ${journal}`)
    return yield* replica.stopped
  }).pipe(
    Effect.provide(
      Replica.layer(Bank).pipe(
        Layer.provide([
          BankLive,
          Socket.layer({ cluster, node, members }),
          SqliteJournal.layer({ filename: journal, cluster, node: NodeId.make(node) })
        ])
      )
    )
  )

/** Reads `1=127.0.0.1:7001,2=127.0.0.1:7002,…`; the sentence says what was expected instead. */
export const parseMembers = (text: string): Effect.Effect<Options["members"], string> =>
  Effect.suspend(() => {
    const members: Record<number, { readonly host: string; readonly port: number }> = {}
    for (const part of text.split(",")) {
      const match = /^(\d{1,5})=(.{1,255}):(\d{1,5})$/.exec(part.trim())
      const [node, port] = [Number(match?.[1]), Number(match?.[3])]
      if (match === null || node < 1 || node > 65_535 || port > 65_535) {
        return Effect.fail(`"${part}" is not a member; expected NODE=HOST:PORT, such as 1=127.0.0.1:7001`)
      }
      members[node] = { host: match[2]!, port }
    }
    return Effect.succeed(members)
  })
