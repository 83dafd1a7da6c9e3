import { describe, expect, it } from "@effect/vitest"
import { ClientConfig, ClientRpcs, Conversation, Endpoint } from "@synod/client"
import { Command, Consistency, Envelope, Outcome, type StateMachine, Ticket } from "@synod/state-machine"
import { Deferred, Duration, Effect, Either, Exit, Fiber, Option, Scope, TestClock } from "effect"
import * as Replicas from "./Replicas.js"

/** The `Call`s that have arrived, as [session, acknowledged, first, count]. */
const calls = (replicas: Replicas.Replicas) =>
  replicas.received.flatMap((envelope) =>
    envelope._tag === "Call"
      ? [[envelope.session, envelope.acknowledged, envelope.first, envelope.commands.length]]
      : []
  )

const all = { concurrency: "unbounded" } as const

it.scoped("calls of the same turn travel together, and each gets its own answer", () =>
  Effect.gen(function* () {
    const replicas = yield* Replicas.make
    const counter = yield* Replicas.client([replicas.leader])
    expect(yield* Effect.forEach([1, 10, 100, 1000], (by) => counter.Next({ by }), all)).toEqual([0, 1, 11, 111])
    expect(calls(replicas)).toEqual([[1, 1, 1, 4]])
  })
)

describe("exactly once", () => {
  it.scoped("a lost reply: the same request goes out again, and gives the first answer", () =>
    Effect.gen(function* () {
      const replicas = yield* Replicas.make
      let losses = 3
      const counter = yield* Replicas.client([
        {
          ...replicas.leader,
          submit: (envelope) =>
            Effect.zipLeft(
              replicas.leader.submit(envelope),
              Effect.suspend(() =>
                losses-- > 0 ? new Endpoint.Unreachable({ reason: "it broke", sent: true }) : Effect.void
              )
            )
        }
      ])
      const call = yield* Effect.fork(counter.Next({ by: 5 }))
      yield* TestClock.adjust("1 second")
      expect(yield* Fiber.join(call)).toBe(0)
      expect(replicas.value()).toBe(5)
      expect(losses).toBeLessThan(0)
    })
  )

  it.scoped("no reply in time: another replica is asked, with the same sequence", () =>
    Effect.gen(function* () {
      const replicas = yield* Replicas.make
      const silent: Endpoint.Endpoint = {
        ...replicas.leader,
        submit: (envelope) => Effect.zipRight(replicas.leader.submit(envelope), Effect.never)
      }
      const counter = yield* Replicas.client([silent, replicas.leader])
      const call = yield* Effect.fork(counter.Next({ by: 5 }))
      // Once for the session, once for the command: each waits as long as an attempt may take.
      yield* TestClock.adjust("5 seconds")
      expect(yield* Fiber.join(call)).toBe(0)
      expect(replicas.value()).toBe(5)
    })
  )

  it.scoped("a superseded leader may have had it chosen: the next one is asked", () =>
    Effect.gen(function* () {
      const replicas = yield* Replicas.make
      const superseded: Endpoint.Endpoint = {
        ...replicas.leader,
        submit: (envelope) => Effect.zipRight(replicas.leader.submit(envelope), new ClientRpcs.Superseded())
      }
      const counter = yield* Replicas.client([superseded, replicas.leader])
      const call = yield* Effect.fork(counter.Next({ by: 5 }))
      yield* TestClock.adjust("1 second")
      expect(yield* Fiber.join(call)).toBe(0)
      expect(replicas.value()).toBe(5)
    })
  )

  it.scoped("answers are let go as calls end, and never before", () =>
    Effect.gen(function* () {
      const replicas = yield* Replicas.make
      const gate = yield* Deferred.make<void>()
      let held = 0
      const counter = yield* Replicas.client([
        {
          ...replicas.leader,
          submit: (envelope) =>
            Effect.zipLeft(replicas.leader.submit(envelope), ++held === 3 ? Deferred.await(gate) : Effect.void)
        }
      ])
      yield* counter.Next({ by: 1 })
      const slow = yield* Effect.fork(counter.Next({ by: 1 }))
      yield* Effect.yieldNow()
      yield* TestClock.adjust(0)
      yield* counter.Next({ by: 1 })
      yield* counter.Next({ by: 1 })
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(slow)
      yield* counter.Next({ by: 1 })
      expect(calls(replicas)).toEqual([
        [1, 1, 1, 1],
        [1, 2, 2, 1],
        [1, 2, 3, 1],
        [1, 2, 4, 1],
        [1, 5, 5, 1]
      ])
    })
  )

  it.scoped("calls don't run past the window that replicas remember answers for", () =>
    Effect.gen(function* () {
      const replicas = yield* Replicas.make
      let first = true
      const counter = yield* Replicas.client([
        {
          ...replicas.leader,
          submit: (envelope) => {
            // The first request of commands arrives only when it is sent again, two seconds later.
            if (envelope.length === 2 || !first) return replicas.leader.submit(envelope)
            first = false
            return Effect.never
          }
        }
      ])
      const stuck = yield* Effect.fork(counter.Next({ by: 1 }))
      yield* TestClock.adjust(0)
      const others = yield* Effect.fork(
        Effect.forEach(
          Array.from({ length: 66 }, (_, i) => i),
          () => Effect.forEach(Array.from({ length: 256 }), () => counter.Next({ by: 1 }), all)
        )
      )
      yield* TestClock.adjust("1 second")
      expect(replicas.value()).toBeGreaterThan(10_000)
      expect(replicas.value()).toBeLessThan(16_384)
      yield* TestClock.adjust("2 seconds")
      yield* Fiber.join(stuck)
      yield* Fiber.join(others)
      expect(replicas.value()).toBe(66 * 256 + 1)
    })
  )
})

describe("when time is up", () => {
  const outcome = (endpoints: ReadonlyArray<Endpoint.Endpoint>, options?: Partial<ClientConfig.ClientConfig>) =>
    Effect.gen(function* () {
      const counter = yield* Replicas.client(endpoints, { deadline: "1 second", ...options })
      const call = yield* Effect.fork(Effect.flip(counter.Next({ by: 1 })))
      yield* TestClock.adjust("1 second")
      return yield* Fiber.join(call)
    })

  it.scoped("nothing was ever sent: Unavailable, with the last reason", () =>
    Effect.gen(function* () {
      const error = yield* outcome([Replicas.notSent, Replicas.notSent, Replicas.following()])
      expect(error).toBeInstanceOf(Outcome.Unavailable)
      expect(error.message).toMatch(/^The machine is unavailable, nothing was applied: /)
    })
  )

  it.scoped("only the opening of a session was sent: Unavailable", () =>
    Effect.gen(function* () {
      expect(yield* outcome([Replicas.lost])).toBeInstanceOf(Outcome.Unavailable)
    })
  )

  it.scoped("something may have arrived: OutcomeUnknown, with the call's own token", () =>
    Effect.gen(function* () {
      const replicas = yield* Replicas.make
      const deaf: Endpoint.Endpoint = {
        ...replicas.leader,
        submit: (envelope) =>
          envelope.length === 2 ? replicas.leader.submit(envelope) : Replicas.lost.submit(envelope)
      }
      const counter = yield* Replicas.client([deaf, Replicas.following()], { deadline: "1 second" })
      const both = yield* Effect.fork(Effect.forEach([1, 2], () => Effect.flip(counter.Next({ by: 1 })), all))
      yield* TestClock.adjust("1 second")
      expect(yield* Fiber.join(both)).toMatchObject([
        { _tag: "OutcomeUnknown", token: { session: 1, sequence: 1 } },
        { _tag: "OutcomeUnknown", token: { session: 1, sequence: 2 } }
      ])
    })
  )

  it.scoped("a superseded leader may have left it to be chosen: OutcomeUnknown", () =>
    Effect.gen(function* () {
      const replicas = yield* Replicas.make
      const superseded: Endpoint.Endpoint = {
        ...replicas.leader,
        submit: (envelope) => (envelope.length === 2 ? replicas.leader.submit(envelope) : new ClientRpcs.Superseded())
      }
      expect((yield* outcome([superseded]))._tag).toBe("OutcomeUnknown")
    })
  )

  it.scoped("a query that failed is Unavailable, whatever was sent", () =>
    Effect.gen(function* () {
      const counter = yield* Replicas.client([Replicas.lost], { deadline: "1 second" })
      const call = yield* Effect.fork(Effect.flip(counter.Value()))
      yield* TestClock.adjust("1 second")
      expect(yield* Fiber.join(call)).toBeInstanceOf(Outcome.Unavailable)
    })
  )

  it.scoped("a call that comes late does not lose its time to those that have waited long", () =>
    Effect.gen(function* () {
      const replicas = yield* Replicas.make
      let reachable = false
      const counter = yield* Replicas.client(
        [
          {
            ...replicas.leader,
            submit: (envelope) => (reachable ? replicas.leader.submit(envelope) : Replicas.notSent.submit(envelope))
          }
        ],
        { requests: 1, commands: 256, deadline: "10 seconds" }
      )
      const early = yield* Effect.fork(Effect.flip(counter.Next({ by: 1 })))
      yield* TestClock.adjust("1 second")
      const waiting = yield* Effect.fork(Effect.flip(counter.Next({ by: 1 })))
      yield* TestClock.adjust("8 seconds")
      const late = yield* Effect.fork(counter.Next({ by: 1 }))
      yield* TestClock.adjust("2500 millis")
      expect(yield* Fiber.join(early)).toBeInstanceOf(Outcome.Unavailable)
      expect(yield* Fiber.join(waiting)).toBeInstanceOf(Outcome.Unavailable)
      reachable = true
      yield* TestClock.adjust("1 second")
      expect(yield* Fiber.join(late)).toBe(0)
    })
  )
})

it.scoped("a session that ended: what certainly was not applied goes into another one, and nobody notices", () =>
  Effect.gen(function* () {
    const replicas = yield* Replicas.make
    const counter = yield* Replicas.client([replicas.leader])
    for (let n = 0; n < 20; n++) yield* counter.Next({ by: 1 })
    replicas.wait(3_600_001)
    expect(yield* Effect.forEach([1, 1, 1], (by) => counter.Next({ by }), all)).toEqual([20, 21, 22])
    expect(calls(replicas).at(-1)).toEqual([2, 1, 1, 3])
    expect(replicas.value()).toBe(23)
  })
)

it.scoped("a session that ended after a reply was lost: SessionExpired, and no second application", () =>
  Effect.gen(function* () {
    const replicas = yield* Replicas.make
    let n = 0
    const counter = yield* Replicas.client([
      {
        ...replicas.leader,
        submit: (envelope) => {
          if (++n !== 2) return replicas.leader.submit(envelope)
          return Effect.zipRight(
            Effect.tap(replicas.leader.submit(envelope), () => replicas.wait(3_600_001)),
            Replicas.lost.submit(envelope)
          )
        }
      }
    ])
    const call = yield* Effect.fork(Effect.flip(counter.Next({ by: 1 })))
    yield* TestClock.adjust("100 millis")
    const error = yield* Fiber.join(call)
    const token = { session: 1, sequence: 1, command: "Next" }
    expect(error).toMatchObject({ _tag: "SessionExpired", token })
    expect(error.message).toBe(
      "What became of Next, command 1 of session 1, is not known any more: its session is over, or its answer was let go"
    )
    expect(yield* Effect.flip(counter.resolve(token))).toMatchObject({ _tag: "SessionExpired", token })
    expect(yield* counter.Next({ by: 10 })).toBe(1)
    expect(replicas.value()).toBe(11)
  })
)

it.scoped(
  "a session of which the replicas know nothing any more: SessionExpired, and the next calls open another",
  () =>
    Effect.gen(function* () {
      const replicas = yield* Replicas.make
      const counter = yield* Replicas.client([replicas.leader])
      for (let n = 0; n < 20; n++) yield* counter.Next({ by: 1 })
      replicas.forget()
      expect(yield* Effect.flip(counter.Next({ by: 100 }))).toMatchObject({
        _tag: "SessionExpired",
        token: { session: 1, sequence: 21 }
      })
      expect(replicas.value()).toBe(20)
      expect(yield* Effect.forEach([1, 1, 1], (by) => counter.Next({ by }), all)).toEqual([20, 21, 22])
      expect(calls(replicas).at(-1)).toEqual([2, 1, 1, 3])
    })
)

it.scoped("a client that calls nothing keeps its session, and lets go of what it was told", () =>
  Effect.gen(function* () {
    const replicas = yield* Replicas.make
    const counter = yield* Replicas.client([replicas.leader])
    yield* counter.Next({ by: 1 })
    for (let i = 0; i < 10; i++) {
      yield* TestClock.adjust("30 minutes")
      replicas.wait(1_800_000)
    }
    yield* counter.Next({ by: 1 })
    expect(calls(replicas).at(-1)).toEqual([1, 2, 2, 1])
    const idle = calls(replicas).filter(([, , , count]) => count === 0)
    expect(idle.length).toBeGreaterThan(5)
    expect(idle[0]).toEqual([1, 2, 2, 0])
  })
)

describe("what became of a command", () => {
  /** A replica whose replies are lost, or whose requests are, after the session was opened. */
  const deaf = (replicas: Replicas.Replicas, loses: "request" | "reply") => {
    const state = { deaf: true }
    const endpoint: Endpoint.Endpoint = {
      ...replicas.leader,
      submit: (envelope) => {
        if (!state.deaf || envelope.length === 2) return replicas.leader.submit(envelope)
        const lost = Replicas.lost.submit(envelope)
        return loses === "request" ? lost : Effect.zipRight(replicas.leader.submit(envelope), lost)
      }
    }
    return { state, endpoint }
  }

  const unknown = (counter: StateMachine.ClientOf<typeof Replicas.Counter>) =>
    Effect.gen(function* () {
      const call = yield* Effect.fork(Effect.flip(counter.Next({ by: 5 })))
      yield* TestClock.adjust("1 second")
      const error = yield* Fiber.join(call)
      return error._tag === "OutcomeUnknown" ? error.token : yield* Effect.dieMessage(`${error._tag} came`)
    })

  it.scoped("applied: its own answer, also after more commands", () =>
    Effect.gen(function* () {
      const replicas = yield* Replicas.make
      const { endpoint, state } = deaf(replicas, "reply")
      const counter = yield* Replicas.client([endpoint], { deadline: "1 second" })
      const token = yield* unknown(counter)
      state.deaf = false
      for (let n = 0; n < 5; n++) yield* counter.Next({ by: 1 })
      expect(yield* counter.resolve(token)).toEqual({ _tag: "Applied", command: "Next", value: 0 })
      // Nobody will ask again, so that the replicas may forget.
      yield* counter.Next({ by: 1 })
      expect(calls(replicas).at(-1)).toEqual([1, 7, 7, 1])
      expect((yield* Effect.flip(counter.resolve(token)))._tag).toBe("SessionExpired")
      expect(replicas.value()).toBe(11)
    })
  )

  it.scoped("not applied: it never will be, also if it comes later", () =>
    Effect.gen(function* () {
      const replicas = yield* Replicas.make
      const { endpoint, state } = deaf(replicas, "request")
      const counter = yield* Replicas.client([endpoint], { deadline: "1 second" })
      const { command, sequence, session } = yield* unknown(counter)
      state.deaf = false
      expect(yield* counter.resolve({ command, sequence, session })).toEqual({ _tag: "NeverApplied" })
      const commands = [Either.getOrThrow(Command.encode("Next", { by: 5 }))]
      yield* replicas.leader.submit(
        Envelope.encode(Envelope.call({ session, acknowledged: 0, first: sequence, commands }))
      )
      expect(replicas.value()).toBe(0)
    })
  )

  it.scoped("nobody to be asked: still unknown, with the same token", () =>
    Effect.gen(function* () {
      const replicas = yield* Replicas.make
      const { endpoint } = deaf(replicas, "request")
      const counter = yield* Replicas.client([endpoint], { deadline: "1 second" })
      const token = yield* unknown(counter)
      const asked = yield* Effect.fork(Effect.flip(counter.resolve(token)))
      yield* TestClock.adjust("1 second")
      expect(yield* Fiber.join(asked)).toMatchObject({ _tag: "OutcomeUnknown", token })
    })
  )

  it.scoped("a command of another machine can't be read: CommandDefect, and nobody is asked", () =>
    Effect.gen(function* () {
      const replicas = yield* Replicas.make
      const counter = yield* Replicas.client([replicas.leader])
      const error = yield* Effect.flip(counter.resolve({ session: 1, sequence: 1, command: "Previous" }))
      expect(error.message).toBe("Previous changed nothing: Counter has no such command")
      expect(replicas.received).toEqual([])
    })
  )

  it.scoped("nobody asks: the client goes on in another session, and the first keeps the answer", () =>
    Effect.gen(function* () {
      const replicas = yield* Replicas.make
      const { endpoint, state } = deaf(replicas, "reply")
      const counter = yield* Replicas.client([endpoint], { deadline: "1 second" })
      const token = yield* unknown(counter)
      state.deaf = false
      for (let n = 0; n < Conversation.RETAIN; n++) yield* counter.Next({ by: 1 })
      expect(calls(replicas).at(-1)).toEqual([2, 1, 1, 1])
      expect(yield* counter.resolve(token)).toEqual({ _tag: "Applied", command: "Next", value: 0 })
    })
  )
})

it.scoped("a session lost with other requests under way does not hide the new one's first commands", () =>
  Effect.gen(function* () {
    const replicas = yield* Replicas.make
    const gate = yield* Deferred.make<void>()
    let n = 0
    const counter = yield* Replicas.client(
      [
        {
          ...replicas.leader,
          submit: (envelope) =>
            ++n === 12
              ? Effect.zipRight(Deferred.await(gate), replicas.leader.submit(envelope))
              : replicas.leader.submit(envelope)
        }
      ],
      { commands: 1 }
    )
    for (let i = 0; i < 10; i++) yield* counter.Next({ by: 1 })
    replicas.forget()
    const held = yield* Effect.fork(Effect.flip(counter.Next({ by: 100 })))
    yield* TestClock.adjust(0)
    expect((yield* Effect.flip(counter.Next({ by: 100 })))._tag).toBe("SessionExpired")
    expect(yield* counter.Next({ by: 1 })).toBe(10)
    yield* Deferred.succeed(gate, undefined)
    expect((yield* Fiber.join(held))._tag).toBe("SessionExpired")
    expect(yield* counter.Next({ by: 1 })).toBe(11)
    expect(replicas.value()).toBe(12)
  })
)

describe("overload", () => {
  const overloaded = new Outcome.Overloaded({ retryAfter: Duration.millis(50) })

  it.scoped("of the leader: the call fails with it, and was not applied", () =>
    Effect.gen(function* () {
      const replicas = yield* Replicas.make
      const counter = yield* Replicas.client([{ ...replicas.leader, submit: () => overloaded }])
      expect(yield* Effect.flip(counter.Next({ by: 1 }))).toBeInstanceOf(Outcome.Overloaded)
    })
  )

  it.scoped("after a reply was lost: it is asked again, not before the time it named", () =>
    Effect.gen(function* () {
      const replicas = yield* Replicas.make
      let n = 0
      const counter = yield* Replicas.client([
        {
          ...replicas.leader,
          submit: (envelope) => {
            n++
            if (n === 2) return Effect.zipRight(replicas.leader.submit(envelope), Replicas.lost.submit(envelope))
            return n === 3
              ? new Outcome.Overloaded({ retryAfter: Duration.millis(500) })
              : replicas.leader.submit(envelope)
          }
        }
      ])
      const call = yield* Effect.fork(counter.Next({ by: 1 }))
      yield* TestClock.adjust("400 millis")
      expect(n).toBe(3)
      yield* TestClock.adjust("200 millis")
      expect(yield* Fiber.join(call)).toBe(0)
      expect(replicas.value()).toBe(1)
    })
  )

  it.scoped("of the client itself: calls beyond what may wait", () =>
    Effect.gen(function* () {
      const counter = yield* Replicas.client([{ ...Replicas.lost, submit: () => Effect.never }], {
        requests: 1,
        waiting: 2
      })
      const fibers = yield* Effect.forEach([1, 2, 3], () =>
        Effect.zipLeft(Effect.fork(counter.Next({ by: 1 })), TestClock.adjust(0))
      )
      expect(yield* Effect.flip(counter.Next({ by: 1 }))).toBeInstanceOf(Outcome.Overloaded)
      yield* Fiber.interruptAll(fibers)
    })
  )
})

describe("interruption", () => {
  it.scoped("a call that waits is withdrawn; one under way is applied, and the next ones go on", () =>
    Effect.gen(function* () {
      const replicas = yield* Replicas.make
      const gate = yield* Deferred.make<void>()
      const counter = yield* Replicas.client(
        [
          {
            ...replicas.leader,
            submit: (envelope) =>
              envelope.length === 2
                ? replicas.leader.submit(envelope)
                : Effect.zipRight(Deferred.await(gate), replicas.leader.submit(envelope))
          }
        ],
        { requests: 1 }
      )
      const underWay = yield* Effect.fork(counter.Next({ by: 1 }))
      yield* TestClock.adjust(0)
      const waits = yield* Effect.fork(counter.Next({ by: 10 }))
      yield* TestClock.adjust(0)
      yield* Fiber.interrupt(underWay)
      yield* Fiber.interrupt(waits)
      yield* Deferred.succeed(gate, undefined)
      expect(yield* counter.Next({ by: 100 })).toBe(1)
      expect(replicas.value()).toBe(101)
    })
  )

  it.scoped("of a call with a ticket: no token before it is sent, and then its outcome can be asked for", () =>
    Effect.gen(function* () {
      const replicas = yield* Replicas.make
      const gate = yield* Deferred.make<void>()
      const counter = yield* Replicas.client(
        [
          {
            ...replicas.leader,
            submit: (envelope) =>
              envelope.length === 2
                ? replicas.leader.submit(envelope)
                : Effect.zipRight(Deferred.await(gate), replicas.leader.submit(envelope))
          }
        ],
        { requests: 1 }
      )
      const tickets = yield* Effect.all([Ticket.make, Ticket.make, Ticket.make])
      const fibers = yield* Effect.forEach(tickets, (ticket, i) =>
        Effect.zipLeft(Effect.fork(Ticket.hold(ticket)(counter.Next({ by: 10 ** i }))), TestClock.adjust(0))
      )
      yield* Fiber.interrupt(fibers[0]!)
      yield* Fiber.interrupt(fibers[1]!)
      yield* Deferred.succeed(gate, undefined)
      expect(yield* Fiber.join(fibers[2]!)).toBe(1)
      yield* counter.Next({ by: 1000 })
      expect(replicas.value()).toBe(1101)
      const [underWay, waiting, answered] = yield* Effect.forEach(tickets, ({ token }) => token)
      expect(waiting).toEqual(Option.none())
      expect(yield* counter.resolve(Option.getOrThrow(underWay!))).toMatchObject({ _tag: "Applied", value: 0 })
      yield* counter.Next({ by: 1 })
      expect((yield* Effect.flip(counter.resolve(Option.getOrThrow(answered!))))._tag).toBe("SessionExpired")
    })
  )

  it.scoped("while a session is opened: the call has no token, and is not sent", () =>
    Effect.gen(function* () {
      const replicas = yield* Replicas.make
      const gate = yield* Deferred.make<void>()
      const counter = yield* Replicas.client([
        {
          ...replicas.leader,
          submit: (envelope) => Effect.zipRight(Deferred.await(gate), replicas.leader.submit(envelope))
        }
      ])
      const ticket = yield* Ticket.make
      const call = yield* Effect.fork(Ticket.hold(ticket)(counter.Next({ by: 1 })))
      yield* TestClock.adjust(0)
      yield* Fiber.interrupt(call)
      yield* Deferred.succeed(gate, undefined)
      yield* TestClock.adjust("1 second")
      expect(yield* ticket.token).toEqual(Option.none())
      expect(yield* counter.Next({ by: 10 })).toBe(0)
      expect(calls(replicas)).toEqual([[1, 1, 1, 1]])
    })
  )

  it.scoped("a client that closes interrupts its callers, those under way and those that wait", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const counter = yield* Scope.extend(
        Replicas.client([{ ...Replicas.lost, submit: () => Effect.never }], { requests: 1 }),
        scope
      )
      const fibers = yield* Effect.forEach([1, 2], () =>
        Effect.zipLeft(Effect.fork(counter.Next({ by: 1 })), TestClock.adjust(0))
      )
      yield* Scope.close(scope, Exit.void)
      for (const fiber of fibers) expect(Exit.isInterrupted(yield* Fiber.await(fiber))).toBe(true)
    })
  )
})

describe("replies that are none", () => {
  for (const [name, bytes] of [
    ["bytes", Uint8Array.of(9, 9, 9)],
    ["another kind", Uint8Array.of(1, 0, 7)]
  ] as const) {
    it.scoped(`${name}: the outcome is unknown, and nobody waits`, () =>
      Effect.gen(function* () {
        const replicas = yield* Replicas.make
        const counter = yield* Replicas.client([
          {
            ...replicas.leader,
            submit: (envelope) => (envelope.length === 2 ? replicas.leader.submit(envelope) : Effect.succeed(bytes))
          }
        ])
        expect((yield* Effect.flip(counter.Next({ by: 1 })))._tag).toBe("OutcomeUnknown")
      })
    )
  }

  it.scoped("a session that can't be read: Unavailable", () =>
    Effect.gen(function* () {
      const counter = yield* Replicas.client([{ ...Replicas.lost, submit: () => Effect.succeed(Uint8Array.of(9)) }])
      expect((yield* Effect.flip(counter.Next({ by: 1 })))._tag).toBe("Unavailable")
    })
  )
})

describe("queries", () => {
  it.scoped("answers that don't fit into one message come in parts", () =>
    Effect.gen(function* () {
      const replicas = yield* Replicas.make
      const asked: Array<number> = []
      const counter = yield* Replicas.client([
        {
          ...replicas.leader,
          query: (queries, consistency) => {
            asked.push(queries.length)
            return replicas.leader.query(queries.slice(0, 2), consistency)
          }
        }
      ])
      expect(yield* Effect.forEach([1, 2, 3, 4, 5], () => counter.Value(), all)).toEqual([0, 0, 0, 0, 0])
      expect(asked).toEqual([5, 3, 1])
    })
  )

  it.scoped("no answer at all is a failure", () =>
    Effect.gen(function* () {
      const counter = yield* Replicas.client([
        { ...Replicas.lost, query: () => Effect.succeed({ slot: 0, answers: [] }) }
      ])
      expect((yield* Effect.flip(counter.Value()))._tag).toBe("Unavailable")
    })
  )

  it.scoped("what a client was told, its next query shows", () =>
    Effect.gen(function* () {
      const replicas = yield* Replicas.make
      const asked: Array<Consistency.Asked> = []
      const endpoint: Endpoint.Endpoint = {
        ...replicas.leader,
        query: (queries, consistency) => {
          asked.push(consistency)
          return replicas.leader.query(queries, consistency)
        }
      }
      const writer = yield* Replicas.client([endpoint])
      const reader = yield* Replicas.client([endpoint])
      expect(yield* writer.seen).toBe(0)
      yield* Consistency.readYourWrites(writer.Value())
      yield* writer.Next({ by: 1 })
      expect(yield* writer.seen).toBe(2)
      yield* Consistency.readYourWrites(writer.Value())
      yield* Consistency.readYourWrites(reader.Value())
      yield* Effect.all([reader.Value().pipe(Consistency.atLeast(1)), reader.Value().pipe(Consistency.atLeast(2))], all)
      expect(yield* reader.seen).toBe(2)
      expect(asked).toEqual([0, 2, 0, 2].map((atLeast) => ({ atLeast })))
    })
  )

  it.scoped("may ask the nearest replica, and follow the hint of a replica that had to ask", () =>
    Effect.gen(function* () {
      const replicas = yield* Replicas.make
      const asked: Array<string> = []
      const replica = (name: string, leader?: number): Endpoint.Endpoint => ({
        ...replicas.leader,
        query: (queries, consistency) => {
          asked.push(name)
          return Effect.map(replicas.leader.query(queries, consistency), (answers) => ({
            ...answers,
            ...(leader === undefined ? {} : { leader })
          }))
        }
      })
      const both = [replica("near", 2), replica("far")]
      const two = (counter: StateMachine.ClientOf<typeof Replicas.Counter>) =>
        Effect.zipRight(counter.Value(), counter.Value())
      yield* Effect.flatMap(Replicas.client(both), two)
      yield* Effect.flatMap(Replicas.client(both, { reads: "nearest" }), two)
      expect(asked).toEqual(["near", "far", "near", "near"])
    })
  )

  it.scoped("stale ones ask the nearest replica each time, others the leader", () =>
    Effect.gen(function* () {
      const replicas = yield* Replicas.make
      const asked: Array<string> = []
      let down = false
      const near: Endpoint.Endpoint = {
        ...replicas.leader,
        query: (queries, consistency) => {
          asked.push(`near ${consistency}`)
          if (down) return Replicas.notSent.query(queries, consistency)
          return consistency === "stale"
            ? replicas.leader.query(queries, consistency)
            : new ClientRpcs.NotLeader({ leader: 2 })
        }
      }
      const far: Endpoint.Endpoint = {
        ...replicas.leader,
        query: (queries, consistency) => {
          asked.push(`far ${consistency}`)
          return replicas.leader.query(queries, consistency)
        }
      }
      const counter = yield* Replicas.client([near, far])
      yield* counter.Value()
      yield* counter.Value()
      yield* Consistency.stale(counter.Value())
      down = true
      const elsewhere = yield* Effect.fork(Consistency.stale(counter.Value()))
      yield* TestClock.adjust("100 millis")
      yield* Fiber.join(elsewhere)
      expect(asked).toEqual([
        "near linearizable",
        "far linearizable",
        "far linearizable",
        "near stale",
        "near stale",
        "far stale"
      ])
    })
  )
})

describe("bounds", () => {
  const bad: ReadonlyArray<readonly [Partial<ClientConfig.ClientConfig>, string]> = [
    [{ deadline: 0 }, 'The client\'s option "deadline" must be a time from 1 millisecond to 1 day, not 0.'],
    [{ attempt: Infinity }, 'The client\'s option "attempt" must be a time from 1 millisecond to 1 day, not Infinity.'],
    [{ pause: -1 }, 'The client\'s option "pause" must be a time from 1 millisecond to 1 day, not -1.'],
    [{ look: 0 }, 'The client\'s option "look" must be a time from 1 millisecond to 1 day, not 0.'],
    [{ requests: 0 }, 'The client\'s option "requests" must be a whole number from 1 to 1024, not 0.'],
    [{ commands: 0.5 }, 'The client\'s option "commands" must be a whole number from 1 to 4096, not 0.5.'],
    [{ bytes: 0 }, 'The client\'s option "bytes" must be a whole number from 1 to 67108864, not 0.'],
    [{ command: NaN }, 'The client\'s option "command" must be a whole number from 1 to 67108864, not NaN.'],
    [{ waiting: 0 }, 'The client\'s option "waiting" must be a whole number from 1 to 1000000, not 0.'],
    [{ page: 0 }, 'The client\'s option "page" must be a whole number from 1 to 67108864, not 0.'],
    [{ reads: "all" as "leader" }, 'The client\'s option "reads" must be "leader" or "nearest", not all.']
  ]

  it.effect("every option has them", () =>
    Effect.gen(function* () {
      expect(bad.map(([options]) => Object.keys(options)[0]).sort()).toEqual(Object.keys(ClientConfig.defaults).sort())
      for (const [options, sentence] of bad) {
        expect((yield* Effect.flip(ClientConfig.make(options))).message).toBe(sentence)
      }
    })
  )

  it.scoped("a client needs a replica", () =>
    Effect.gen(function* () {
      expect((yield* Effect.flip(Replicas.client([]))).message).toBe(
        'The client\'s option "servers" must be one replica or more, not none.'
      )
    })
  )

  it.scoped("a command that is too long is refused before it is sent", () =>
    Effect.gen(function* () {
      const replicas = yield* Replicas.make
      const counter = yield* Replicas.client([replicas.leader], { command: 4 })
      const error = yield* Effect.flip(counter.Next({ by: 123_456 }))
      expect(error.message).toMatch(/^Next changed nothing: it is \d+ bytes long, more than the 4 that are allowed$/)
      expect(replicas.received).toEqual([])
    })
  )

  it.scoped("requests hold no more commands and bytes than they may", () =>
    Effect.gen(function* () {
      const replicas = yield* Replicas.make
      const counter = yield* Replicas.client([replicas.leader], { commands: 3 })
      yield* Effect.forEach(Array.from({ length: 8 }), () => counter.Next({ by: 1 }), all)
      expect(calls(replicas).map(([, , , count]) => count)).toEqual([3, 3, 2])
    })
  )
})
