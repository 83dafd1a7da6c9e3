/** What takes the place of the log. */
import type { Mutant } from "./Mutant.js"

const snapshots = "packages/replica/src/Snapshots.ts"
const leader = "packages/paxos/src/Leader.ts"

export const snapshotting: ReadonlyArray<Mutant> = [
  {
    name: "log-trimmed-beyond-snapshot",
    bug: "The log is trimmed as far as it is chosen, and the snapshot reaches less far: what lies between is nowhere.",
    edits: [
      {
        file: snapshots,
        find: "Math.min(previous.slot, margin, chosenThrough, kept, ...pinned())",
        replace: "chosenThrough"
      }
    ],
    tier: "world"
  },
  {
    name: "named-meanwhile-forgotten",
    bug: "A replica that lacks a snapshot asks one node at a time, and forgets whom the leader names meanwhile: where names and waiting keep step, it is always the same that is asked, though it can't be reached. A bug of our own, found by the core tier.",
    edits: [
      {
        file: "packages/simulator/src/internal/coreSnapshots.ts",
        find: "      if (source !== this.asked) this.named.add(source)\n",
        replace: ""
      }
    ],
    tier: "core",
    rates: { isolate: 0.5, halves: 0.3, oneWay: 0.3, pause: 0.3, skew: 1, delay: 0.02 }
  },
  {
    name: "one-answer-to-many-questions",
    bug: "Several acceptors wait for the same trimmed slot, and each answer that it is gone is taken for one to all of them: questions and answers double with every turn.",
    edits: [
      {
        file: leader,
        find: " || Leading.sourceOf(self, follower, options) !== from",
        replace: ""
      }
    ],
    tier: "core",
    replicas: 5,
    rates: { chained: 0.4, constrained: 0.4, outage: 0.3, isolate: 0.3 }
  },
  {
    name: "time-lost-with-snapshot",
    bug: "A snapshot holds the state and not the agreed time, so that the machine's time goes back where the next leader's clock is behind.",
    edits: [
      {
        file: "packages/replica/src/SnapshotPieces.ts",
        find: "restoration.end({ slot, time })",
        replace: "restoration.end({ slot, time: 0 })"
      }
    ],
    tier: "world"
  }
]
