/** What an acceptor promises, and the ballots that it promises to. */
import type { Mutant } from "./Mutant.js"

const acceptor = "packages/paxos/src/Acceptor.ts"
const actor = "packages/replica/src/Actor.ts"
const proposer = "packages/paxos/src/Proposer.ts"

export const promises: ReadonlyArray<Mutant> = [
  {
    name: "promise-spoken-before-durable",
    bug: "A promise is answered and never written. Paxos Made Simple, 2.2, asks for stable storage; a crash lets the acceptor promise less.",
    edits: [
      {
        file: acceptor,
        find: "isNew ? Step.make(state, persist(state, state.log.through, []), promise) : ",
        replace: ""
      }
    ],
    tier: "core"
  },
  {
    name: "accepted-spoken-before-durable",
    bug: "Accepted is answered and the entries are never written: what was chosen is gone after a crash.",
    edits: [
      {
        file: acceptor,
        find: "    : finish(self, state, options, persist(state, self.log.through, fresh), answer)",
        replace: "    : finish(self, state, options, answer)"
      }
    ],
    tier: "core"
  },
  {
    name: "sent-before-persisted",
    bug: "The actor sends before it writes, as code does that leaves the order to chance: both happen, and a crash between them shows it.",
    edits: [
      {
        file: actor,
        find: '      return reach("persist", () => {\n',
        replace: "      return early(next, asked, () => {\n"
      },
      {
        file: actor,
        find: "    const say = (next: State, ",
        replace: `    const early = (next: State, asked: ReadonlyArray<Asked<Input, Action>>, then: () => Rest) => {
      state = next
      return Effect.flatMap(options.send(asked) ?? Effect.void, () => reach("persist", then) ?? Effect.void)
    }
    const say = (next: State, `
      },
      {
        file: actor,
        find: "        const sending = options.send(asked)\n",
        replace: "        const sending = undefined as Effect.Effect<void> | undefined\n"
      }
    ],
    tier: "world"
  },
  {
    name: "promise-forgotten-at-restart",
    bug: "The promise is on disk, and whoever reads the disk takes the accepted ballot for it.",
    edits: [
      {
        file: "packages/paxos/src/Accepting.ts",
        find: "    promised: durable.promised,",
        replace: "    promised: durable.acceptedBallot,"
      }
    ],
    tier: "core"
  },
  {
    name: "promise-taken-back",
    bug: "An older Prepare that comes late is promised as well: the check of Paxos Made Simple, 2.2, phase 1b, is missing.",
    edits: [
      {
        file: acceptor,
        find: "  if (Ballot.lessThan(ballot, self.promised)) return reject(self, ballot)\n",
        replace: ""
      }
    ],
    tier: "core"
  },
  {
    name: "accept-below-promise",
    bug: "An Accept is held against the accepted ballot and not against the promise (Paxos Made Simple, 2.2, phase 2b).",
    edits: [
      {
        file: acceptor,
        find: `  if (!Ballot.equals(message.ballot, self.promised)) return reject(self, message.ballot)
  const synchronised`,
        replace: `  if (Ballot.greaterThan(message.ballot, self.promised)) return reject(self, message.ballot)
  if (Ballot.lessThan(message.ballot, self.acceptedBallot)) return reject(self, message.ballot)
  const synchronised`
      }
    ],
    tier: "core"
  },
  {
    name: "one-variable-for-both-ballots",
    bug: "Promised and accepted ballot share a variable, so that a promise makes an old log look newly accepted: the classic mistake of first implementations.",
    edits: [
      {
        file: acceptor,
        find: "isNew ? { ...self, promised: ballot, grantedRound: 0 }",
        replace: "isNew ? { ...self, promised: ballot, grantedRound: 0, acceptedBallot: ballot }"
      }
    ],
    tier: "core"
  },
  {
    name: "ballot-reused-after-restart",
    bug: "After a restart a proposer counts its rounds from what it has heard since, and not from what is on disk.",
    edits: [
      {
        file: proposer,
        find: '({ _tag: "Following", highest: promised })',
        replace: '({ _tag: "Following", highest: Ballot.zero })'
      },
      {
        file: proposer,
        find: "      return campaign(self, Ballot.max(self.highest, input.above), input.released ?? Ballot.zero, options)",
        replace: "      return campaign(self, self.highest, input.released ?? Ballot.zero, options)"
      }
    ],
    tier: "core"
  },
  {
    name: "prepare-before-own-promise",
    bug: "Prepare leaves before the proposer's own promise is durable. After a crash the node makes the same ballot again.",
    edits: [{ file: proposer, find: ": [options.self]\n", replace: ": options.quorums.members\n" }],
    tier: "core",
    rates: { slowDisk: 1, crash: 0.01, lostWrites: 1, delay: 0.1, loss: 0.2, halves: 0.3 }
  },
  {
    name: "ballots-without-nodes",
    bug: "Ballots are compared by their rounds only, so that two nodes share one (Paxos Made Simple, 2.2: different proposals have different numbers).",
    edits: [
      {
        file: "packages/paxos/src/Ballot.ts",
        find: "a.round === b.round && a.node === b.node",
        replace: "a.round === b.round"
      }
    ],
    tier: "core"
  },
  {
    name: "promise-counted-twice",
    bug: "Promises are counted as messages and not as nodes: one that is repeated counts for a node that said nothing.",
    edits: [
      {
        file: proposer,
        find: "  const promises = new Map(self.promises).set(from, message)",
        replace: `  const silent = options.quorums.members.find((node) => !self.promises.has(node))
  const promises = new Map(self.promises).set(self.promises.has(from) ? (silent ?? from) : from, message)`
      }
    ],
    tier: "core",
    replicas: 5
  },
  {
    name: "quorums-miss",
    bug: "Half of the members are enough, so that two quorums need not meet (Flexible Paxos: those of the two phases must).",
    edits: [
      {
        file: "packages/paxos/src/Quorum.ts",
        find: "  const size = Math.floor(members.length / 2) + 1",
        replace: "  const size = Math.floor(members.length / 2)"
      }
    ],
    tier: "core"
  }
]
