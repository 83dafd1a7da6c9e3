/** Who decides, and in which epoch. */
import type { Mutant } from "./Mutant.js"

const node = "packages/simulator/src/internal/coreNode.ts"
const lessons = "packages/paxos/src/Lessons.ts"
const leader = "packages/paxos/src/Leader.ts"

export const memberships: ReadonlyArray<Mutant> = [
  {
    name: "late-message-obeyed",
    bug: "A message of an epoch that is over is obeyed in the one that came after it.",
    edits: [
      {
        file: "packages/paxos/src/Epoch.ts",
        find: 'sent === own ? "obey" : sent < own ? "late" : "behind"',
        replace: 'sent <= own ? "obey" : "behind"'
      }
    ],
    tier: "core"
  },
  {
    name: "entry-behind-stop-sign",
    bug: "A leader goes on proposing behind a stop sign, as with slots that are decided independently of each other (Lamport, Malkhi, Zhou, Reconfiguring a State Machine, 2010).",
    edits: [
      { file: "packages/paxos/src/Proposer.ts", find: '"Leading" && !self.stops', replace: '"Leading"' },
      {
        file: leader,
        find: "!self.stops && (!stops || sign === entries.length - 1)",
        replace: "self.log.through >= 0"
      }
    ],
    tier: "core"
  },
  {
    name: "adopted-stop-sign-overlooked",
    bug: "A new leader takes a change before what it adopted is chosen at its own ballot, and so puts a stop sign behind one that it adopted: Raft's bug of single-server changes (Ongaro, raft-dev, 2015).",
    edits: [
      { file: leader, find: '=== "StopSign"\n', replace: '=== "Nothing"\n' },
      {
        file: "packages/paxos/src/MembershipChange.ts",
        find: "const settled = leader.chosenThrough >= leader.adopted.acceptedThrough",
        replace: "const settled = leader.chosenThrough >= 0"
      }
    ],
    tier: "core"
  },
  {
    name: "union-of-two-memberships",
    bug: "Members of the last epoch count beside those of the present one, and a majority of all of them decides: no majority of either.",
    edits: [
      {
        file: node,
        find: "const quorums = world.steps.quorums(epoch.membership)",
        replace:
          'const quorums = world.steps.quorums({ ...epoch.membership, quorums: { _tag: "Majority" }, voters: [...new Set([...(this.place?.epoch.membership.voters ?? []), ...epoch.membership.voters])] })'
      }
    ],
    tier: "core"
  },
  {
    name: "removed-member-still-counted",
    bug: "Whoever answers is counted, also nodes that were removed and learn only.",
    edits: [
      {
        file: "packages/paxos/src/Quorum.ts",
        find: "    for (const member of members) if (nodes.has(member)) n++\n    return n\n",
        replace: "    for (const _ of nodes) n++\n    return Math.min(n, members.length)\n"
      }
    ],
    tier: "core"
  },
  {
    name: "learned-below-its-ballot",
    bug: "What others know to be chosen is learned without promising the ballot at which they chose it, and counts as accepted at an older one.",
    edits: [
      {
        file: lessons,
        find: "withChosen(bound(self, message.ballot), news)",
        replace: "withChosen(self, news)"
      }
    ],
    tier: "core"
  },
  {
    name: "snapshot-in-the-wrong-epoch",
    bug: "A snapshot of a later epoch takes the place of the log, and the acceptor goes on in the epoch that it was in.",
    edits: [
      { file: lessons, find: "if (epoch.number === number) return", replace: "if (epoch.number >= number) return" }
    ],
    tier: "core"
  },
  {
    name: "founders-decide-for-ever",
    bug: "A whole replica goes on to count the founders' quorums in later epochs: members that left still count, and those that came don't.",
    edits: [
      {
        file: "packages/replica/src/EpochRoles.ts",
        find: "nobody : yield* Membership.make(membership)",
        replace:
          'nobody : yield* Peers.pipe(Effect.flatMap(({ beginning }) => Membership.make(beginning._tag === "Found" ? beginning.membership : membership)))'
      }
    ],
    tier: "world",
    rates: { reconfigure: 0.5, loss: 0.02, crash: 0.0006, isolate: 0.1, halves: 0.1 }
  },
  {
    name: "late-message-obeyed-by-replicas",
    bug: "A whole replica obeys messages of an epoch that is over.",
    edits: [
      {
        file: "packages/replica/src/AcceptorActor.ts",
        find: 'epoch === undefined || Epoch.judge(number, epoch) === "obey"',
        replace: 'epoch === undefined || Epoch.judge(number, epoch) !== "behind"'
      },
      {
        file: "packages/replica/src/Hearing.ts",
        find: 'if (verdict === "obey") return undefined',
        replace: 'if (verdict !== "behind") return undefined'
      }
    ],
    tier: "world",
    rates: { reconfigure: 0.5, loss: 0.02, delay: 0.01, crash: 0.0006, isolate: 0.1, halves: 0.1 }
  }
]
