/**
 * `npm run bench -- --contention`: 1 to 64 clients that all claim the same thing: each with the proposer of registers embedded, so that
 * they duel, and each by a leader, who puts them in a row.
 */
import { Console, Effect } from "effect"
import type { Chart } from "../Plot.js"
import { freePorts, host } from "../Ports.js"
import { aligned } from "../Report.js"
import * as Worker from "../Worker.js"
import * as Members from "./Members.js"
import { Contested } from "./Settings.js"

export interface Contention extends Contested {
  readonly by: string
  readonly clients: number
}

const counts = [1, 2, 4, 8, 16, 32, 64]

const ways = ["registers", "leader"] as const

/** Of clients who find the code cold. */
const warmUp = { clients: 4, seconds: 2 }

export const run = (seconds: number) =>
  Effect.gen(function* () {
    const asking = yield* Effect.forEach(ways, (by) =>
      Effect.gen(function* () {
        const ports = yield* freePorts(3)
        const members = Object.fromEntries(ports.map((port, i) => [i + 1, { host, port }]))
        yield* Members.start({ by }, [members, members, members])
        const clients = yield* Members.clients({ by }, members)
        yield* clients.ask("contest", warmUp)
        return { by, clients }
      })
    )
    const found: Array<Contention> = []
    for (const count of counts) {
      for (const { by, clients } of asking) {
        const contested = yield* Effect.flatMap(
          clients.ask("contest", { clients: count, seconds }),
          Worker.decode(Contested)
        )
        found.push({ by, clients: count, ...contested })
        yield* Console.log(
          `  ${String(count).padStart(2)} clients, ${by.padEnd(9)}: ${contested.decisionsPerSecond.toFixed(0)} decisions/s, ` +
            `p50 ${contested.p50Millis.toFixed(1)} ms, p99 ${contested.p99Millis.toFixed(0)} ms, ${contested.failed} failed`
        )
      }
    }
    yield* Console.log(`\n${table(found)}`)
    return found
  }).pipe(Effect.scoped)

export const table = (found: ReadonlyArray<Contention>): string =>
  aligned(
    ["clients", "by", "decisions/s", "p50 ms", "p99 ms", "failed"],
    found.map(({ by, clients, decisionsPerSecond, failed, p50Millis, p99Millis }) => [
      String(clients),
      by,
      decisionsPerSecond.toFixed(0),
      p50Millis.toFixed(1),
      p99Millis.toFixed(0),
      String(failed)
    ]),
    ["by"]
  )

export const charts = (found: ReadonlyArray<Contention>): ReadonlyArray<Chart> => {
  const lines = (of: (one: Contention) => number) =>
    ways.map((by) => ({
      name: by === "leader" ? "by a leader" : "proposers in clients",
      points: found.filter((one) => one.by === by).map((one) => [one.clients, of(one)] as const)
    }))
  const x = { title: "clients that claim the same", scale: "logarithmic" } as const
  return [
    {
      title: "until a claim is answered",
      x,
      y: { title: "median latency, ms", scale: "logarithmic" },
      lines: lines(({ p50Millis }) => p50Millis)
    },
    {
      title: "things that get an owner",
      x,
      y: { title: "decisions a second", scale: "logarithmic" },
      lines: lines(({ decisionsPerSecond }) => decisionsPerSecond)
    }
  ]
}
