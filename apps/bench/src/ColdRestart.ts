/**
 * `npm run bench -- --cold-restart`: all members are killed at once, with so many entries in their logs, and started again; how long
 * until a command is answered.
 */
import { Clock, Console, Effect } from "effect"
import { median } from "./Report.js"
import { type Members, places, SystemFailed } from "./System.js"

export interface ColdRestart {
  readonly system: string
  readonly entries: number
  /** From the start of the processes to the first answer, each time. */
  readonly milliseconds: ReadonlyArray<number>
}

/** Callers who fill the logs, and how long that may take, in seconds. */
const inFlight = 256
const filling = 300

/** How long a restart may take, in seconds. */
const bound = 60

/** Ids of callers, apart from those of other studies. */
let ids = 1_000_000

export const run = (system: string, members: Members, options: { readonly entries: number; readonly times: number }) =>
  Effect.gen(function* () {
    const { entries, times } = options
    const { insist, kill, start } = members
    yield* Console.log(`  ${system}: writing ${entries.toLocaleString("en")} entries`)
    yield* insist({ id: ids++, inFlight, seconds: filling, answers: entries })
    const milliseconds: Array<number> = []
    for (let n = 1; n <= times; n++) {
      yield* Effect.forEach(places, kill, { concurrency: "unbounded", discard: true })
      const begun = yield* Clock.currentTimeMillis
      yield* Effect.forEach(places, start, { concurrency: "unbounded", discard: true })
      const { answered } = yield* insist({ id: ids++, inFlight: 1, seconds: bound, answers: 1 })
      const [first] = answered
      if (first === undefined) {
        return yield* new SystemFailed({ system, reason: `nobody answers ${bound} s after the members were started` })
      }
      milliseconds.push(Math.round(first - begun))
      yield* Console.log(`  ${n}/${times}  ${system}: a command was answered after ${milliseconds[n - 1]} ms`)
    }
    yield* Console.log(`\n${system}: median ${median(milliseconds)} ms, longest ${Math.max(...milliseconds)} ms`)
    const result: ColdRestart = { system, entries, milliseconds }
    return result
  })
