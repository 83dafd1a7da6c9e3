/** What clients were told, and what is applied for them. */
import type { Mutant } from "./Mutant.js"

const conversation = "packages/client/src/Conversation.ts"
const courier = "packages/client/src/Courier.ts"
const learner = "packages/replica/src/LearnerActor.ts"

export const sessions: ReadonlyArray<Mutant> = [
  {
    name: "repeated-command-applied-twice",
    bug: "A command that comes again under its session and sequence is applied again (RIFL; the Raft thesis, 6.3).",
    edits: [
      {
        file: "packages/state-machine/src/ExactlyOnce.ts",
        find: "      if (answered !== undefined) return answered\n",
        replace: ""
      }
    ],
    tier: "world"
  },
  {
    name: "sessions-lost-with-snapshot",
    bug: "Snapshots hold the state and not the sessions, so that a retry after a restore is applied again.",
    edits: [
      {
        file: "packages/state-machine/src/internal/slices/sessions.ts",
        find: ".opened, whole, whole]",
        replace: ".opened, SessionTable.empty, whole]"
      }
    ],
    tier: "world"
  },
  {
    name: "retry-under-new-identity",
    bug: "A client that hears nothing for a second sends its command again under a new sequence, so that both are applied.",
    edits: [
      {
        file: conversation,
        find: "        : Effect.catchAll(submit(numbered, deadline), (failure) =>",
        replace: `        : Effect.catchAll(Effect.catchAll(submit(numbered, deadline - 3_000), () =>
              Effect.flatMap(number(numbered.calls, deadline), (again) => submit(again, deadline))
            ), (failure) =>`
      }
    ],
    tier: "world"
  },
  {
    name: "unknown-outcome-called-failure",
    bug: "A command that timed out is reported as not applied, and it was: the false failure that Jepsen's analyses name again and again.",
    edits: [{ file: courier, find: "            unsure ||= refusal.sent\n", replace: "" }],
    tier: "world"
  },
  {
    name: "answer-of-another-command",
    bug: "Whoever waits for a slot is given the answers of the entry that took it, also after another leader's entry did: the reply is matched by its index alone.",
    edits: [
      {
        file: "packages/replica/src/Outcomes.ts",
        find: "      if (Entry.equals(expected.entry, entry)) {",
        replace: "      if (replies.length >= expected.submissions.length) {"
      },
      {
        file: "packages/replica/src/ProposerActor.ts",
        find: "            outcomes.abandon()\n",
        replace: ""
      }
    ],
    tier: "world",
    rates: { pause: 0.5, isolate: 0.3, halves: 0.3 }
  },
  {
    name: "applied-without-its-effects",
    bug: "How far the machine has applied survives a restart and its effects do not. Our machine is rebuilt from a snapshot and the log behind it; here it starts behind what was chosen.",
    edits: [
      {
        file: learner,
        find: "      initial: options.waiting ? Learner.waiting : Learner.initial(through()),",
        replace: "      initial: Learner.initial(journal.recovered.chosenThrough),"
      }
    ],
    tier: "world"
  },
  {
    name: "applied-at-own-time",
    bug: "Each replica applies a slot at the time of its own clock and not at the agreed one, so that handlers are not deterministic.",
    edits: [
      {
        file: learner,
        find: "      const time = Math.max(machine.at().time, entry.time)",
        replace: "      const time = clock.unsafeCurrentTimeMillis()"
      }
    ],
    tier: "world"
  },
  {
    name: "time-goes-back",
    bug: "The machine's time is that of the slot's leader, whose clock may be behind that of the one before.",
    edits: [
      {
        file: learner,
        find: "      const time = Math.max(machine.at().time, entry.time)",
        replace: "      const time = entry.time"
      }
    ],
    tier: "world"
  },
  {
    name: "session-forgotten-whole",
    bug: "A session ends and takes along how far it had come, so that a client which lost a reply is told that nothing was applied, and calls anew (RIFL, 3.3: a client whose lease has expired).",
    edits: [
      {
        file: "packages/state-machine/src/SessionTable.ts",
        find: "    let over = RedBlackTree.insert(next.over, id, session?.next ?? 0)\n",
        replace: "    let over = RedBlackTree.insert(next.over, id, 0)\n"
      }
    ],
    tier: "world"
  },
  {
    name: "withdrawn-without-tombstone",
    bug: "A command whose outcome was asked for is said never to be applied, and nothing keeps it from being applied when it arrives later.",
    edits: [
      {
        file: "packages/state-machine/src/ExactlyOnce.ts",
        find: "    session.record(sequence, Answer.withdrawn)\n",
        replace: ""
      }
    ],
    tier: "world"
  }
]
