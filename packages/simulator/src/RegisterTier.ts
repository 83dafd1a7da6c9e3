/**
 * The tier of registers: single-decree Paxos without a leader, as plain steps.
 *
 * @since 0.1.0
 */
import { NodeId } from "@synod/paxos"
import type { QuorumSpec } from "@synod/paxos"
import type { Fault, Rates } from "./Fault.js"
import { vary } from "./internal/coreSetting.js"
import * as QuorumSpecs from "./QuorumSpecs.js"
import * as RegisterCluster from "./RegisterCluster.js"
import * as Seeded from "./Seeded.js"
import type { Tier } from "./Tier.js"

const rates: Rates = {
  loss: 0.03,
  duplication: 0.03,
  delay: 0.02,
  halves: 0.1,
  oneWay: 0.1,
  isolate: 0.1,
  crash: 0.005,
  outage: 0.03,
  lostWrites: 0.5,
  slowDisk: 0.1
}

const harsh: Rates = { ...rates, loss: 0.15, delay: 0.1, crash: 0.03, outage: 0.2 }

/** How often members decide all aboard. */
const aboard = 0.35

/** How often old registers are forgotten, and after how many milliseconds: later than anybody asks for them in a run. */
const forgetful = 0.25
const ages = [11_500, 14_000] as const

/**
 * @since 0.1.0
 * @category constants
 */
export const tier: Tier = {
  name: "register",
  faults: Object.keys(rates) as ReadonlyArray<Fault>,
  rates: () => rates,
  sometimes: () => RegisterCluster.sometimes,
  run: (seed, options) => {
    const members = Array.from({ length: options.replicas }, (_, i) => NodeId.make(i + 1))
    const seeded = Seeded.make(seed, "quorums")
    const quorums: QuorumSpec.QuorumSpec = seeded.chance(aboard)
      ? { _tag: "AllAboard" }
      : QuorumSpecs.draw(seeded, members)
    const age = Seeded.make(seed, "forgetting")
    return RegisterCluster.run(seed, {
      members,
      age: age.chance(forgetful) ? age.between(...ages) : undefined,
      quorums,
      rates: options.rates ?? vary(options.harsh ? harsh : rates, Seeded.make(seed, "rates")),
      readable: options.readable
    })
  }
}
