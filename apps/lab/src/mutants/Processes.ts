/** Bugs in what only real processes run, and some that must not escape there either. */
import type { Mutant } from "./Mutant.js"

export const processes: ReadonlyArray<Mutant> = [
  {
    name: "answered-before-written",
    bug: "The journal answers before its file was written, as with a cache that writes behind: what was acknowledged just before all processes are killed is gone.",
    edits: [
      {
        file: "packages/journal/src/SqliteJournal.ts",
        find: "        return Effect.map(writing(file.run(sql, params)), () => {",
        replace:
          '        return Effect.map(Effect.forkDaemon(Effect.delay(writing(file.run(sql, params)), "100 millis")), () => {'
      }
    ],
    tier: "processes"
  },
  {
    name: "repeated-command-applied-twice-by-processes",
    bug: "As repeated-command-applied-twice, and caught by what real clients sent again to real replicas.",
    edits: [
      {
        file: "packages/state-machine/src/ExactlyOnce.ts",
        find: "      if (answered !== undefined) return answered\n",
        replace: ""
      }
    ],
    tier: "processes"
  },
  {
    name: "paused-process-reads",
    bug: "As paused-leader-reads, by a process that was stopped, or cut off from the others and not from clients.",
    edits: [
      {
        file: "packages/paxos/src/Leader.ts",
        find: "  return Replication.everyone(asking(self, now, options), options)",
        replace: `  const state = asking({ ...self, confirm: { asked: self.confirm.asked, answered: self.confirm.asked + 1 } }, now, options)
  const sent = Replication.everyone(state, options)
  const confirmed: Action = { _tag: "Confirmed", confirm: state.confirm.asked, slot: readable(self) }
  return Step.make<Leading.Leading, Action>(sent.state, ...sent.actions, confirmed)`
      }
    ],
    tier: "processes"
  }
]
