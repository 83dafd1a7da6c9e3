/** Reads that are not linearizable. */
import type { Mutant } from "./Mutant.js"

const leader = "packages/paxos/src/Leader.ts"

export const reads: ReadonlyArray<Mutant> = [
  {
    name: "read-before-first-entry",
    bug: "A new leader answers reads from what it knows to be chosen, before all it adopted is chosen at its own ballot. Raft, 8: it has to commit an entry of its term first.",
    edits: [
      {
        file: leader,
        find: "=> Slot.max(self.chosenThrough, self.adopted.acceptedThrough)",
        replace: "=> self.chosenThrough"
      }
    ],
    tier: "core"
  },
  {
    name: "paused-leader-reads",
    bug: "A leader answers reads without asking anybody whether it still leads: one that was paused, or cut off, gives stale answers.",
    edits: [
      {
        file: leader,
        find: "  return Replication.everyone(asking(self, now, options), options)",
        replace: `  const state = asking({ ...self, confirm: { asked: self.confirm.asked, answered: self.confirm.asked + 1 } }, now, options)
  const sent = Replication.everyone(state, options)
  const confirmed: Action = { _tag: "Confirmed", confirm: state.confirm.asked, slot: readable(self) }
  return Step.make<Leading.Leading, Action>(sent.state, ...sent.actions, confirmed)`
      }
    ],
    tier: "core"
  },
  {
    name: "older-answer-confirms",
    bug: "Any answer confirms the ballot for reads, also one to a message that left before they were asked for.",
    edits: [
      {
        file: leader,
        find: "Math.max(follower.confirmed, message.confirm)",
        replace: "self.confirm.asked"
      }
    ],
    tier: "core",
    rates: { delay: 0.2, clog: 1, pause: 0.5, isolate: 0.3, halves: 0.3 }
  },
  {
    name: "read-before-applied",
    bug: "The slot of a read is known to be chosen, and the read is answered before the machine has applied it: the watermark goes ahead of the effects.",
    edits: [
      {
        file: "packages/replica/src/LearnerActor.ts",
        find: "          if (slot <= through()) return answer",
        replace: "          if (slot >= 0) return answer"
      }
    ],
    tier: "world"
  },
  {
    name: "any-replica-reads",
    bug: "Linearizable reads are answered by whichever replica is asked, as stale ones are.",
    edits: [
      {
        file: "packages/replica/src/Gateway.ts",
        find: "Effect.flatMap(readSlot[kind], ({ leader, slot }) =>",
        replace: "Effect.flatMap(Effect.succeed({ leader: peers.self, slot: Slot.zero }), ({ leader, slot }) =>"
      }
    ],
    tier: "world"
  },
  {
    name: "read-joins-earlier-question",
    bug: "A read at a follower is answered from a slot that the leader was asked for before the read came.",
    edits: [
      {
        file: "packages/replica/src/ReadSlots.ts",
        find: "        for (const answer of readers) answer(outcome)",
        replace: "        for (const answer of [...readers, ...waiting]) answer(outcome)\n        waiting.clear()"
      }
    ],
    tier: "world",
    rates: { delay: 0.2, clog: 1, pause: 0.5 }
  },
  {
    name: "read-displaced",
    bug: "Reads that come in the turn in which a round of confirmation ends take the place of those that it is to serve.",
    edits: [
      {
        file: "packages/replica/src/ProposerActor.ts",
        find: "const mayConfirm = !reads.underWay() && Proposer",
        replace: "const mayConfirm = Proposer"
      }
    ],
    tier: "world"
  },
  {
    name: "own-writes-not-read",
    bug: "A client doesn't note in which slot its commands were applied, and then reads at a replica that hasn't come so far.",
    edits: [
      {
        file: "packages/client/src/Conversation.ts",
        find: "            session.uses++\n            options.saw(reply.slot)\n",
        replace: "            session.uses++\n"
      }
    ],
    tier: "world"
  }
]
