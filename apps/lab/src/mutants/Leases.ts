/** Leases on which reads must not rely. */
import type { Mutant } from "./Mutant.js"

const acceptor = "packages/paxos/src/Acceptor.ts"
const accepting = "packages/paxos/src/Accepting.ts"
const leader = "packages/paxos/src/Leader.ts"
const lease = "packages/paxos/src/Lease.ts"
const proposer = "packages/paxos/src/Proposer.ts"

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
    name: "lease-forgotten-at-restart",
    bug: "Grants are in memory only, and an acceptor that comes back promises at once what it may not yet.",
    edits: [
      {
        file: accepting,
        find: "grantedUntil: durable.promised.round === 0 ? 0 : grantedUntil",
        replace: "grantedUntil: durable.promised.round === 0 ? grantedUntil : 0"
      }
    ],
    tier: "core",
    rates: { isolate: 1.5, skew: 1, crash: 0.006 }
  },
  {
    name: "grant-renewed-by-repeats",
    bug: "A question that is repeated renews the grant: a leader that reaches one acceptor alone keeps it bound for ever, and under quorum-loss that is the only one that could take over. A bug of our own, found by the core tier.",
    edits: [{ file: acceptor, find: "confirm > self.grantedRound && ", replace: "" }],
    tier: "core",
    replicas: 5
  },
  {
    name: "round-behind-a-round",
    bug: "Reads ask for a round of confirmation while one for the lease is under way: a leader that reaches too few to be granted either binds those with each anew, and whoever could take over has to wait. A bug of our own, found by the core tier.",
    edits: [
      {
        file: leader,
        find: '  hold("proposer", "one round of confirmation at a time", !isConfirming(self))\n',
        replace: ""
      },
      { file: proposer, find: " && !Leader.isConfirming(self)", replace: "" }
    ],
    tier: "core",
    rates: { isolate: 1.5, skew: 1, delay: 0.02 }
  },
  {
    name: "leader-forgets-release",
    bug: "A leader that was handed the lead asks those who come later for their promise as if nobody had given up a lease: they keep it waiting for as long as the old one would have lasted. A bug of our own, found by the core tier.",
    edits: [
      {
        file: leader,
        find: 'ballot, released }: Leading.Leading): Message.Prepare => ({ _tag: "Prepare", ballot, released })',
        replace: 'ballot }: Leading.Leading): Message.Prepare => ({ _tag: "Prepare", ballot, released: Ballot.zero })'
      }
    ],
    tier: "core",
    rates: { isolate: 1.5, oneWay: 0.5, pause: 0.5, clog: 2, delay: 0.2 }
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
    name: "lease-counted-from-last-question",
    bug: "A round that is asked again counts from then, though it may be the first question that was answered, long ago.",
    edits: [
      {
        file: leader,
        find: "    ...(renews ? asking(self, now, options) : self),",
        replace:
          "    ...(renews ? asking(self, now, options) : { ...self, lease: { ...self.lease, asked: self.lease.asked && { ...self.lease.asked, at: now } } }),"
      }
    ],
    tier: "core",
    rates: { isolate: 1.5, oneWay: 0.5, pause: 0.5, clog: 2, delay: 0.2 }
  },
  {
    name: "lease-ignores-drift",
    bug: "The leader relies on a grant for as long as it was given, by a clock of its own: one that is slow makes it longer.",
    edits: [{ file: lease, find: "term: (grant * (1 - drift)) / (1 + drift)", replace: "term: grant + 0 * drift" }],
    tier: "core",
    rates: { isolate: 1.5, skew: 1, delay: 0.02 }
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
