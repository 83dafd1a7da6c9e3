/** Single-decree Paxos without a leader: what proposers adopt, and what acceptors keep to. */
import type { Mutant } from "./Mutant.js"

const acceptor = "packages/paxos/src/RegisterAcceptor.ts"
const proposer = "packages/paxos/src/RegisterProposer.ts"

export const registers: ReadonlyArray<Mutant> = [
  {
    name: "register-own-value-first",
    bug: "A proposer proposes its own value though it was told of another one (Paxos Made Simple, 2.2, phase 2a).",
    edits: [
      {
        file: proposer,
        find: "RegisterEvidence.highest(promises.values())?.value ?? self.value",
        replace: "self.value ?? RegisterEvidence.highest(promises.values())?.value ?? null"
      }
    ],
    tier: "register"
  },
  {
    name: "register-lowest-adopted",
    bug: "Of the values that a proposer was told it takes the one with the lowest ballot instead of the highest.",
    edits: [
      {
        file: "packages/paxos/src/RegisterEvidence.ts",
        find: "Ballot.lessThan(best.ballot, cell.ballot)",
        replace: "Ballot.greaterThan(best.ballot, cell.ballot)"
      }
    ],
    tier: "register"
  },
  {
    name: "register-promise-not-kept",
    bug: "An Accept is held against what was accepted and not against what was promised.",
    edits: [
      {
        file: acceptor,
        find: `  if (!admits(self, ballot, life)) return reject(self, ballot)
  const accepted = `,
        replace: `  if (self.accepted !== null && Ballot.lessThan(ballot, self.accepted.ballot)) return reject(self, ballot)
  const accepted = `
      },
      {
        file: acceptor,
        find: "return persist({ ...self, promised: ballot, life, accepted: { ballot, value } }, accepted)",
        replace:
          "return persist({ ...self, promised: Ballot.max(self.promised, ballot), life, accepted: { ballot, value } }, accepted)"
      }
    ],
    tier: "register"
  },
  {
    name: "register-spoken-before-durable",
    bug: "An acceptor answers and writes nothing: what was decided is gone after a crash.",
    edits: [
      {
        file: acceptor,
        find: 'Step.make<State, Action>(state, { _tag: "Persist", state }, answer)',
        replace: "Step.make<State, Action>(state, answer)"
      }
    ],
    tier: "register"
  },
  {
    name: "register-prepare-quorum-too-small",
    bug: "One promise is enough in any round, as it is all aboard in the fast ones.",
    edits: [
      {
        file: proposer,
        find: "if (!quorums.isPrepareQuorum(before.ballot.round, new Set(promises.keys()))) return",
        replace: "if (promises.size < 1) return"
      }
    ],
    tier: "register"
  },
  {
    name: "register-fast-round-reused",
    bug: "A ballot is taken for that of another request of the same node, as after a restart that forgot that its fast round is used up.",
    edits: [{ file: acceptor, find: "(life === self.life && Ballot.equals", replace: "(Ballot.equals" }],
    tier: "register"
  },
  {
    name: "register-read-of-one",
    bug: "A read takes a prepare quorum that holds nothing for an empty register: all aboard that is one acceptor.",
    edits: [
      {
        file: proposer,
        find: "if (RegisterEvidence.isBlocking(quorums, empty)) return",
        replace: "if (quorums.isPrepareQuorum(1, empty)) return"
      }
    ],
    tier: "register"
  },
  {
    name: "register-decided-by-too-few",
    bug: "A majority that accepted counts as everybody, in fast rounds too.",
    edits: [
      {
        file: proposer,
        find: "return quorums.isAcceptQuorum(ballot.round, accepted)\n",
        replace: "return 2 * accepted.size > quorums.members.length\n"
      }
    ],
    tier: "register"
  },
  {
    name: "register-forgotten-undecided",
    bug: "A register is forgotten when it has not been written for long, and not when it is known to be decided for long.",
    edits: [
      {
        file: "packages/simulator/src/internal/registerNode.ts",
        find: "if (state.decided) this.since.set",
        replace: "this.since.set"
      }
    ],
    tier: "register"
  },
  {
    name: "register-forgotten-too-soon",
    bug: "A register is forgotten in half of the time that the policy has it kept.",
    edits: [
      {
        file: "packages/simulator/src/internal/registerNode.ts",
        find: "now() - since < age",
        replace: "2 * (now() - since) < age"
      }
    ],
    tier: "register"
  }
]
