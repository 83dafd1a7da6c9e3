/** Leases on which reads must not rely. */
import type { Mutant } from "./Mutant.js"

const acceptor = "packages/paxos/src/Acceptor.ts"
const leader = "packages/paxos/src/Leader.ts"
const lease = "packages/paxos/src/Lease.ts"

/** Leaders that are cut off, or stand still, while others can do without them; and clocks that drift. */
const apart = { isolate: 0.5, halves: 0.3, oneWay: 0.3, pause: 0.3, skew: 1, delay: 0.02 } as const

export const leases: ReadonlyArray<Mutant> = [
  {
    name: "lease-promised-away",
    bug: "An acceptor promises a new ballot to somebody else while its leader still relies on its grant.",
    edits: [{ file: acceptor, find: "  if (now < self.grantedUntil && ", replace: "  if (now < 0 && " }],
    tier: "core",
    rates: apart
  },
  {
    name: "grant-renewed-by-repeats",
    bug: "A question that is repeated renews the grant: a leader that reaches one acceptor alone keeps it bound for ever, and under quorum-loss that is the only one that could take over. A bug of our own, found by the core tier.",
    edits: [{ file: acceptor, find: "confirm > self.grantedRound && ", replace: "" }],
    tier: "core",
    replicas: 5
  },
  {
    name: "lease-never-ends",
    bug: "The leader looks whether it has a lease, and not at the clock: one that was paused past its end answers from what it had.",
    edits: [
      {
        file: lease,
        find: "!released && now < since + term",
        replace: "!released && now >= since && term > 0 && since > 0"
      }
    ],
    tier: "core",
    rates: apart
  },
  {
    name: "lease-of-one",
    bug: "The first grant is taken for a lease, though the others may promise to somebody else.",
    edits: [
      {
        file: leader,
        find: "    reached(self, options, ({ granted }) => granted, 0)",
        replace: "    Math.max(...Array.from(self.followers.values(), ({ granted }) => granted))"
      }
    ],
    tier: "core",
    rates: apart
  },
  {
    name: "lease-kept-at-hand-over",
    bug: "A leader that hands over tells its successor, whom the acceptors need not keep waiting, and goes on to answer from its lease.",
    edits: [
      {
        file: "packages/paxos/src/Proposer.ts",
        find: "lease: { ...self.lease, released: true }",
        replace: "lease: { ...self.lease, released: false }"
      }
    ],
    tier: "core",
    rates: { handOver: 3, pause: 0.5, isolate: 0.5, clog: 1, delay: 0.1 }
  }
]
