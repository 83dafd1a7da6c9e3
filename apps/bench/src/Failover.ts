/**
 * `npm run bench -- --failover`: under the load of a few callers the leader's process is killed, again and again; how long until a
 * command is answered that began after that, and what all callers saw.
 */
import { Clock, Console, Effect, Fiber } from "effect"
import type { Timeline } from "./Insist.js"
import { median } from "./Report.js"
import { type Members, SystemFailed } from "./System.js"

export interface Failover {
  readonly system: string
  /** Milliseconds from each kill to the first answer to a command that began after it. */
  readonly milliseconds: ReadonlyArray<number>
  /** When answers came around the last kill, in milliseconds after it. */
  readonly timeline: ReadonlyArray<number>
}

/** Callers who are there all the time. */
const inFlight = 16

/** Seconds of load before the kill and after the first answer, and how long that may take at most. */
const before = 2
const after = 1
const bound = 30

const unlimited = 1_000_000_000

/** Each kill has ids of its own. */
let ids = 0

export const run = (system: string, members: Members, times: number) =>
  Effect.gen(function* () {
    const milliseconds: Array<number> = []
    let timeline: ReadonlyArray<number> = []
    for (let n = 1; n <= times; n++) {
      const seen = yield* once(system, members)
      milliseconds.push(seen.milliseconds)
      timeline = seen.timeline
      yield* Console.log(
        `  ${n}/${times}  ${system}: member ${seen.killed + 1} led and was killed; the next command was answered after ` +
          `${seen.milliseconds} ms`
      )
    }
    yield* Console.log(`\n${system}: median ${median(milliseconds)} ms, longest ${Math.max(...milliseconds)} ms`)
    const result: Failover = { system, milliseconds, timeline }
    return result
  })

const once = (system: string, { enough, insist, kill, leader, start }: Members) =>
  Effect.gen(function* () {
    // A process that has just started takes a second for its first answer.
    yield* insist({ id: ids++, inFlight: 1, seconds: bound, answers: 1 })
    const id = ids++
    const all = yield* Effect.fork(insist({ id, inFlight, seconds: before + after + bound, answers: unlimited }))
    yield* Effect.sleep(`${before} seconds`)
    const killed = yield* leader
    const at = yield* Clock.currentTimeMillis
    yield* kill(killed)
    const { answered } = yield* insist({ id: ids++, inFlight: 1, seconds: bound, answers: 1 })
    const [first] = answered
    if (first === undefined)
      return yield* new SystemFailed({ system, reason: `nobody answers ${bound} s after a kill` })
    yield* Effect.sleep(`${after} seconds`)
    yield* enough(id)
    const timeline: Timeline = yield* Fiber.join(all)
    yield* start(killed)
    // It is to be back before the next one goes.
    yield* leader
    yield* Effect.sleep("1 second")
    return {
      killed,
      milliseconds: Math.round(first - at),
      timeline: timeline.answered.map((time) => time - at)
    }
  })
