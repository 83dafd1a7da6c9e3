/**
 * The world tier: whole replicas, with their actors, messages, sessions and journals, on the machine of registers, which is a
 * value for most seeds and tables for some.
 *
 * @since 0.1.0
 */
import { NodeId } from "@synod/paxos"
import * as Effect from "effect/Effect"
import { names } from "./Fault.js"
import * as Report from "./internal/worldReport.js"
import * as Model from "./Model.js"
import * as QuorumSpecs from "./QuorumSpecs.js"
import * as Registers from "./Registers.js"
import * as Run from "./Run.js"
import * as Seeded from "./Seeded.js"
import * as SqlRegisters from "./SqlRegisters.js"
import type { Tier } from "./Tier.js"
import * as WorldFaults from "./WorldFaults.js"

/**
 * @since 0.1.0
 * @category tiers
 */
export const tier: Tier = {
  name: "world",
  sometimes: (options) => [...Report.sometimes(options), ...Report.sometimesOnTables],
  faults: names,
  rates: WorldFaults.rates,
  run: (seed, { harsh, rates, readable, replicas }) => {
    const options = {
      workload: Registers.workload,
      seed,
      harsh,
      readable,
      replicas,
      quorums: QuorumSpecs.draw(
        Seeded.make(seed, "quorums"),
        Array.from({ length: replicas }, (_, i) => NodeId.make(i + 1))
      ),
      ...(rates === undefined ? {} : { faults: rates })
    }
    return seed % tablesEvery === 0
      ? Run.run(SqlRegisters.SqlRegisters, { ...options, layer: SqlRegisters.layer, model: value() })
      : Run.run(Registers.Registers, { ...options, layer: Registers.layer })
  }
}

/** Tables cost several times as much as a value does. */
const tablesEvery = 4

/** Tables and value are the same machine to clients. */
const value = () =>
  Model.ofMachine(
    Registers.Registers,
    Effect.runSync(Registers.Registers.executor.pipe(Effect.provide(Registers.layer)))
  )
