/** Who leads, and who gives way. */
import type { Mutant } from "./Mutant.js"

const election = "packages/paxos/src/Election.ts"

export const elections: ReadonlyArray<Mutant> = [
  {
    name: "livelock-under-partial-links",
    bug: "Whoever does not hear the leader itself takes over, also where a neighbour hears it: under a chained partition two replicas depose each other for ever (Omni-Paxos, 2; Cloudflare's outage of 2020).",
    edits: [
      {
        file: election,
        find: "  if (!able || replies.some((reply) => reply.happy)) return asked",
        replace: "  if (!able) return asked"
      }
    ],
    tier: "core"
  },
  {
    name: "leader-without-quorum-stays",
    bug: "A leader that is heard and reaches no quorum goes on leading: the quorum-loss scenario of Omni-Paxos, 2.",
    edits: [
      {
        file: election,
        find: "  return enough || replies.some(",
        replace: "  return self.leading || enough || replies.some("
      }
    ],
    tier: "core",
    replicas: 5
  },
  {
    name: "leader-does-not-step-down",
    bug: "A leader that hears of a higher ballot goes on leading with its own.",
    edits: [
      {
        file: "packages/paxos/src/Proposer.ts",
        find: "  return resign(self, Ballot.max(self.highest, ballot))\n}",
        replace:
          '  return self._tag === "Leading" ? Step.make<State, Action>({ ...self, highest: ballot }) : resign(self, ballot)\n}'
      },
      {
        file: "packages/paxos/src/Proposer.ts",
        find: " ?? resign(self, Ballot.max(self.highest, promised))",
        replace: " ?? Step.make<State, Action>(self)"
      }
    ],
    tier: "core"
  },
  {
    name: "nobody-waited-for",
    bug: "Replicas that know of no leader yet take ballot zero for one, and each other for proof that it lives. A bug of our own, found by the core tier.",
    edits: [{ file: election, find: "reply.happy && claims(reply) && Ballot", replace: "reply.happy && Ballot" }],
    tier: "core",
    replicas: 5
  },
  {
    name: "returning-candidate-deposes",
    bug: "A replica that was cut off in the middle of an attempt to lead goes on with it when it is back, and acceptors promise it what it asks for, though they hear their leader: Raft without the pre-vote phase (Ongaro, 9.6).",
    edits: [
      {
        file: election,
        find: "  !self.happy || isAttempt(self)",
        replace: "  self.round >= 0 || isAttempt(self)"
      },
      {
        file: election,
        find: "isAttempt(self) && !happy && self.round > self.since",
        replace: "isAttempt(self) && !happy && self.round < 0"
      }
    ],
    tier: "core"
  },
  {
    name: "one-refusal-deposes",
    bug: "A leader gives way to the first acceptor that has promised a higher ballot, though the others are a quorum and whoever made that ballot is gone.",
    edits: [
      {
        file: "packages/paxos/src/Proposer.ts",
        find: "return Leader.outbid(self, from, promised, options) ?? resign",
        replace: "return resign"
      },
      {
        file: election,
        find: "const orphan = happy || able ? orphaned(followed.state, replies) : undefined",
        replace: "const orphan = self.round < 0 ? orphaned(followed.state, replies) : undefined"
      }
    ],
    tier: "core"
  },
  {
    name: "silent-peers-waited-for",
    bug: "Every round of heartbeats waits for all that may yet answer: under a partition each lasts until a peer counts as silent, and an election takes several.",
    edits: [
      {
        file: "packages/simulator/src/internal/coreElection.ts",
        find: "if (this.audible.has(node)) return true",
        replace: "if (node > 0) return true"
      },
      {
        file: "packages/simulator/src/internal/coreElection.ts",
        find: "if (this.audible.has(node)) silent = Math.min(silent, until)",
        replace: "silent = Math.min(silent, until)"
      }
    ],
    tier: "core",
    replicas: 5
  },
  {
    name: "fast-rounds-waited-for",
    bug: "Whoever takes over looks at the next round only: all aboard, with a member gone, waits for it through all fast rounds.",
    edits: [
      {
        file: "packages/paxos/src/Quorum.ts",
        find: "system.changesAt.filter((round) => round > above + 1)",
        replace: "system.changesAt.filter(() => false)"
      }
    ],
    tier: "core"
  }
]
