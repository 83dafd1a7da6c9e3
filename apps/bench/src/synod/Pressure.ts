/**
 * Requests from more clients than replicas can serve: packed commands, encoded once and sent again and again under ever new
 * sequences, so that making them costs next to nothing and a few processes of the same machine can ask for far too much.
 *
 * A closed loop keeps so many requests under way; an open one sends at a rate, answered or not. Nobody tries again what was
 * refused.
 */
import { Endpoint } from "@synod/client"
import { Command, Envelope, Reply } from "@synod/state-machine"
import { Clock, Effect, Either, FiberSet, Schedule, Schema } from "effect"
import { commands } from "./KeyValue.js"
import { cluster, type Settings } from "./Settings.js"

export const Pressure = Schema.Struct({
  /** Sessions, and commands in each request. */
  sessions: Schema.Int.pipe(Schema.positive()),
  commands: Schema.Int.pipe(Schema.positive()),
  seconds: Schema.Positive,
  /** Requests under way, or commands a second. */
  loop: Schema.Union(
    Schema.Struct({ _tag: Schema.Literal("Closed"), requests: Schema.Int.pipe(Schema.positive()) }),
    Schema.Struct({ _tag: Schema.Literal("Open"), rate: Schema.Positive })
  )
})

export type Pressure = typeof Pressure.Type

export const Pressed = Schema.Struct({
  /** Commands a second that were sent. */
  offered: Schema.Number,
  /** Commands a second that were acknowledged. */
  acknowledged: Schema.Number,
  /** Commands a second that ended otherwise, by what they ended with. */
  otherwise: Schema.Record({ key: Schema.String, value: Schema.Number }),
  /** Of the requests that were acknowledged. */
  p99Millis: Schema.Number
})

export type Pressed = typeof Pressed.Type

/** Milliseconds between two bursts of an open loop; each holds what is due since the last. */
const pause = 5

/** Milliseconds of which a loop that is late makes up at once. */
const behind = 100

/** Requests under way in an open loop; one more isn't sent. */
const most = 4096

/** Sessions that are being opened at once. */
const openings = 64

/** How long a session is tried to be opened. */
const opening = Schedule.intersect(Schedule.spaced("50 millis"), Schedule.recurs(200))

interface Session {
  readonly id: number
  next: number
  /** First sequences of the requests under way, in ascending order. */
  readonly underWay: Set<number>
}

export const press = ({ commands: count, loop, seconds, sessions }: Pressure, { members }: Settings) =>
  Effect.gen(function* () {
    const endpoints = new Map(
      yield* Effect.forEach(Object.entries(members), ([node, address]) =>
        Effect.map(Endpoint.tcp({ ...address, cluster }), (endpoint) => [Number(node), endpoint] as const)
      )
    )
    const packed = commands(count).map((put) => Either.getOrThrow(Command.encode("Put", put)))
    let leader = [...endpoints.keys()][0]!
    /** Asks whoever leads; a hint is followed. */
    const submit = (envelope: Uint8Array) =>
      Effect.tapErrorTag(
        Effect.suspend(() => endpoints.get(leader)!.submit(envelope)),
        "NotLeader",
        (error) => Effect.sync(() => (leader = error.leader ?? leader))
      )
    // A connection that was just asked for, or a replica that was just started, takes a moment.
    const open = Effect.retry(submit(Envelope.encode(Envelope.open)), opening).pipe(
      Effect.map((bytes): Session => {
        const reply = Either.getOrThrow(Reply.decode(bytes))
        return { id: reply._tag === "Opened" ? reply.session : 0, next: 1, underWay: new Set() }
      })
    )
    const all = yield* Effect.replicateEffect(open, sessions, { concurrency: openings })
    const fibers = yield* FiberSet.make()
    const latencies: Array<number> = []
    const otherwise = new Map<string, number>()
    let made = 0
    let underWay = 0
    const begin = yield* Clock.currentTimeMillis
    let until = begin + 1000 * seconds

    const one = Effect.gen(function* () {
      const session = all[made++ % all.length]!
      const first = session.next
      session.next += count
      session.underWay.add(first)
      underWay++
      const [acknowledged = first] = session.underWay
      const envelope = Envelope.encode(Envelope.call({ session: session.id, acknowledged, first, commands: packed }))
      const since = yield* Clock.currentTimeMillis
      const outcome = yield* Effect.either(submit(envelope))
      const now = yield* Clock.currentTimeMillis
      session.underWay.delete(first)
      underWay--
      if (now > until) return
      const ended = Either.isRight(outcome) ? Either.getOrThrow(Reply.decode(outcome.right)) : outcome.left
      if (ended._tag === "Replied") latencies.push(now - since)
      else otherwise.set(ended._tag, (otherwise.get(ended._tag) ?? 0) + 1)
    })

    if (loop._tag === "Closed") {
      const caller = Effect.repeat(one, { until: () => Effect.map(Clock.currentTimeMillis, (now) => now >= until) })
      yield* Effect.all(Effect.replicate(caller, loop.requests), { concurrency: "unbounded", discard: true })
    } else {
      const fork = yield* FiberSet.runtime(fibers)<never>()
      let last = begin
      let due = 0
      for (let now = begin; now < until; now = yield* Clock.currentTimeMillis) {
        due += (loop.rate * Math.min(now - last, behind)) / 1000 / count
        last = now
        for (; due >= 1; due--) if (underWay < most) fork(one)
        yield* Effect.sleep(pause)
      }
    }
    const elapsed = ((yield* Clock.currentTimeMillis) - begin) / 1000
    until = 0
    const sorted = [...latencies].sort((a, b) => a - b)
    const pressed: Pressed = {
      offered: (made * count) / elapsed,
      acknowledged: (latencies.length * count) / elapsed,
      otherwise: Object.fromEntries([...otherwise].map(([tag, times]) => [tag, (times * count) / elapsed])),
      p99Millis: sorted[Math.floor(sorted.length * 0.99)] ?? 0
    }
    return pressed
  }).pipe(Effect.scoped)
