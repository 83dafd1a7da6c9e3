/**
 * Three regions on this machine: one member in each, and proxies for what is between them.
 *
 * ```
 *        A ──── 40 ms ──── B
 *         \               /
 *        80 ms         120 ms         there and back
 *           \           /
 *            └─── C ───┘
 * ```
 */
import { Effect, type Scope } from "effect"
import { freePorts, host } from "../Ports.js"
import type { SystemFailed } from "../System.js"
import * as Distance from "./Distance.js"
import type { Members } from "./Settings.js"

export const regions = ["A", "B", "C"] as const

/** Milliseconds there and back between the regions of two nodes, which are 1 for A, 2 for B and 3 for C. */
export const roundTrip = (one: number, other: number): number => (one === other ? 0 : distances[one + other - 3]!)

/** 1–2, 1–3, 2–3. */
const distances = [40, 80, 120]

/** Where every member is found from the region of each node, by node; a member listens where it is found from its own. */
export const make: Effect.Effect<ReadonlyArray<Members>, SystemFailed, Scope.Scope> = Effect.gen(function* () {
  const nodes = regions.map((_, i) => i + 1)
  const ports = yield* freePorts(nodes.length)
  return yield* Effect.forEach(nodes, (from) =>
    Effect.map(
      Effect.forEach(nodes, (to) => {
        const target = ports[to - 1]!
        const port = from === to ? Effect.succeed(target) : Distance.proxy(target, roundTrip(from, to) / 2)
        return Effect.map(port, (port) => [String(to), { host, port }] as const)
      }),
      (members): Members => Object.fromEntries(members)
    )
  )
})
