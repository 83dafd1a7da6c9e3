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
        find: "  return resign(self, ballot)\n}",
        replace:
          '  return self._tag === "Leading" ? Step.make<State, Action>({ ...self, highest: ballot }) : resign(self, ballot)\n}'
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
  }
]
