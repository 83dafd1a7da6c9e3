/** What is shown to those who follow. */
import type { Mutant } from "./Mutant.js"

const exactlyOnce = "packages/state-machine/src/ExactlyOnce.ts"
const window = "packages/state-machine/src/FeedWindow.ts"
const replay = "packages/replica/src/Replay.ts"

export const feeds: ReadonlyArray<Mutant> = [
  {
    name: "repeated-command-followed-twice",
    bug: "A command that stands in the log again is shown again, though it was not applied again: a feed made of the log and not of what was done.",
    edits: [
      {
        file: exactlyOnce,
        find: "      if (answered !== undefined) return answered\n      const index",
        replace:
          "      if (answered !== undefined) {\n        performed?.(count++, command, answered)\n        return answered\n      }\n      const index"
      }
    ],
    tier: "world"
  },
  {
    name: "page-ends-one-too-far",
    bug: "A page that is full says that it told the element for which it had no room, so that nobody ever does.",
    edits: [
      {
        file: window,
        find: "return { records, through: { slot: last.slot, index: last.index } }",
        replace: "return { records, through: { slot: record.slot, index: record.index } }"
      }
    ],
    tier: "world"
  },
  {
    name: "resumes-behind-the-slot",
    bug: "Whoever goes on behind a command of a slot is shown the next slot: positions taken for slots.",
    edits: [
      {
        file: "packages/client/src/Subscription.ts",
        find: "...(after === undefined ? {} : { after }),",
        replace: "...(after === undefined ? {} : { after: { slot: after.slot } }),"
      }
    ],
    tier: "world"
  },
  {
    name: "ring-overrun-in-silence",
    bug: "Whoever is further behind than memory reaches is shown what is left there, and not told of the gap.",
    edits: [
      {
        file: window,
        find: "if (after.slot < from || (after.slot === from && after.index !== undefined)) return undefined\n",
        replace: ""
      }
    ],
    tier: "world"
  },
  {
    name: "snapshot-leaves-a-gap-in-the-feed",
    bug: "A replica that goes on from a snapshot shows what comes behind it as if it came next.",
    edits: [
      {
        file: "packages/replica/src/FeedTracks.ts",
        find: "      commands.window.reset(machine.at().slot)\n",
        replace: ""
      }
    ],
    tier: "world"
  },
  {
    name: "replay-begins-too-late",
    bug: "A replay goes on from the newest snapshot there is, also from one that was taken after what is asked for.",
    edits: [{ file: replay, find: "if (snapshot.slot > from || snapshot", replace: "if (snapshot" }],
    tier: "world"
  },
  {
    name: "replay-ends-where-others-once-began",
    bug: "A replay stops at the slot from which on others showed a query when it began, also when they have begun anew since, later: nobody shows what lies between. Found here.",
    edits: [{ file: replay, find: "        until = request.until\n", replace: "" }],
    tier: "world"
  },
  {
    name: "replay-lets-go-of-what-nobody-was-shown",
    bug: "A replay that is ahead of whoever asks makes room by letting go of what that one needs next, which starts anew, again and again. Found here (seed 21).",
    edits: [{ file: replay, find: "2 * config.chunk, needed)", replace: "2 * config.chunk)" }],
    tier: "world"
  },
  {
    name: "answer-compared-by-length",
    bug: "A query's answer counts as unchanged when it is as long as the one before.",
    edits: [
      {
        file: "packages/state-machine/src/Feed.ts",
        find: "(a.length === b.length && a.every((byte, i) => byte === b[i]))",
        replace: "a.length === b.length"
      }
    ],
    tier: "world"
  }
]
