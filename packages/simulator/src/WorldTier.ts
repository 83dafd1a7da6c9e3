/**
 * The world tier: whole replicas, with their actors, messages, sessions and journals, on the machine of registers.
 *
 * @since 0.1.0
 */
import { names } from "./Fault.js"
import * as Registers from "./Registers.js"
import * as Run from "./Run.js"
import type { Tier } from "./Tier.js"
import * as WorldFaults from "./WorldFaults.js"

/**
 * @since 0.1.0
 * @category tiers
 */
export const tier: Tier = {
  name: "world",
  sometimes: Run.sometimes,
  faults: names,
  rates: WorldFaults.rates,
  run: (seed, { harsh, rates, readable, replicas }) =>
    Run.run(Registers.Registers, {
      layer: Registers.layer,
      workload: Registers.workload,
      seed,
      harsh,
      readable,
      replicas,
      ...(rates === undefined ? {} : { faults: rates })
    })
}
