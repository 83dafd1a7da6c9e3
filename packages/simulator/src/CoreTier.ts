/**
 * The core tier: clusters of the protocol's plain steps, so cheap that a hundred thousand seeds are a matter of minutes.
 *
 * @since 0.1.0
 */
import { NodeId } from "@synod/paxos"
import * as Atlas from "./Atlas.js"
import * as CoreCluster from "./CoreCluster.js"
import type { Fault, Rates } from "./Fault.js"
import { handsOver } from "./internal/coreHandOver.js"
import * as CoreSetting from "./internal/coreSetting.js"
import * as Partition from "./Partition.js"
import * as QuorumSpecs from "./QuorumSpecs.js"
import * as Seeded from "./Seeded.js"
import type { Tier } from "./Tier.js"

/**
 * @since 0.1.0
 * @category constants
 */
export const tier: Tier = {
  name: "core",
  faults: Object.keys(CoreSetting.rates) as ReadonlyArray<Fault>,
  rates: (replicas) => possible(CoreSetting.rates, replicas),
  sometimes: ({ harsh, replicas }) => [
    ...always,
    ...(harsh
      ? []
      : [
          CoreCluster.goesAbove,
          ...Atlas.kinds
            .filter((kind) => kind !== "ring" || replicas >= Partition.fewest("ring"))
            .map(CoreCluster.liveAgain)
        ])
  ],
  run: (seed, { harsh, rates, readable, replicas }) => {
    const all = harsh ? CoreSetting.harsh : CoreSetting.rates
    const members = Array.from({ length: replicas }, (_, i) => NodeId.make(i + 1))
    const spec = QuorumSpecs.draw(Seeded.make(seed, "quorums"), members)
    const outcome = CoreCluster.run(seed, {
      founders: { voters: members, learners: [], quorums: spec },
      rates: rates ?? CoreSetting.vary(possible(all, replicas), Seeded.make(seed, "rates")),
      harsh,
      readable
    })
    const decides = spec._tag === "Majority" || outcome.operations === 0 ? 0 : 1
    return { ...outcome, sometimes: [...outcome.sometimes, [othersDecide, decides]] }
  }
}

/** Reported of runs whose quorums are not majorities. */
const othersDecide = "quorums that are no majorities decide"

/** What a run of many seeds should show. */
const always: ReadonlyArray<string> = [
  "a ballot is confirmed for reads",
  "a command that was chosen twice is answered from its session",
  handsOver,
  "a leader hands over to a node that should rather lead",
  "a lease ends before the read that relies on it is answered",
  "a read relies on a lease",
  "an attempt to lead is given up",
  "a leader comes up while an old one still believes to lead",
  "a leader gives way to a higher ballot",
  "a learner reads what it missed from the journal",
  "a log is adopted from another node",
  "a new leader adopts what may be chosen",
  "a node comes back with a log",
  "a slot is chosen before its leader's own vote",
  "a suffix that was never chosen is replaced",
  "old entries are fetched for a follower",
  "the outcome of a command stays unknown to its client",
  othersDecide,
  "a change is proposed",
  "a message of an epoch that is over does nothing",
  "a node enters an epoch",
  "a node skips epochs by a snapshot, or joins",
  "an epoch ends",
  "nodes learn before they vote"
]

/** Partitions that so many members can have. */
const possible = (rates: Rates, replicas: number): Rates => {
  const tooFew = Partition.kinds.filter((kind) => replicas < Partition.fewest(kind))
  return Object.fromEntries(Object.entries(rates).filter(([fault]) => !tooFew.some((kind) => kind === fault)))
}
