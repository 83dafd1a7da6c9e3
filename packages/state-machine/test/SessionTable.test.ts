import { assert, describe, it } from "@effect/vitest"
import { Answer, Batch, Command, Envelope, type Replicated, Reply, SessionTable } from "@synod/state-machine"
import { Effect, Either, FastCheck } from "effect"
import { Bank, BankLive } from "./Bank.js"

const bounds: SessionTable.Bounds = { most: 3, expiry: 100 }

/** A log of a machine with narrow bounds, whose slots each hold one envelope, at a time of their own. */
const makeLog = Effect.map(Bank.executor, (unbounded) => {
  const executor = unbounded.bounded(bounds)
  let replicated = executor.initial
  let slot = 0
  const apply = (time: number, envelope: Envelope.Envelope): Reply.Reply => {
    const applied = executor.apply(replicated, { slot: ++slot, time }, Batch.encode([Envelope.encode(envelope)]))
    replicated = applied.state
    return Either.getOrThrow(Reply.decode(applied.replies[0]!))
  }
  return {
    executor,
    replicated: (): Replicated.Replicated => replicated,
    restore: () => {
      replicated = Either.getOrThrow(executor.restore(executor.snapshot(replicated)))
    },
    open: (time: number) => apply(time, Envelope.open),
    call: (time: number, session: number, first: number, account = "a", acknowledged = 0) =>
      apply(time, Envelope.call({ session, acknowledged, first, commands: [put(account)] })),
    keep: (time: number, session: number) =>
      apply(time, Envelope.call({ session, acknowledged: 0, first: 0, commands: [] })),
    resolve: (time: number, session: number, sequence: number) => apply(time, Envelope.resolve(session, sequence))
  }
}).pipe(Effect.provide(BankLive))

const put = (account: string) => Either.getOrThrow(Command.encode("Open", { account, amount: 1 }))

const expired = Reply.sessionExpired

describe("sessions end", () => {
  it.effect("when they were not used for longer than their expiry, by the agreed time", () =>
    Effect.gen(function* () {
      const log = yield* makeLog
      assert.deepStrictEqual(log.open(1_000), Reply.opened(1, 100))
      assert.strictEqual(log.call(1_100, 1, 0)._tag, "Replied")
      assert.strictEqual(log.keep(1_200, 1)._tag, "Replied")
      assert.strictEqual(log.call(1_300, 1, 1)._tag, "Replied")
      const before = log.replicated().state
      assert.deepStrictEqual(log.call(1_401, 1, 2, "b"), expired(2))
      assert.strictEqual(log.replicated().state, before)
    })
  )

  it.effect("the least recently used one first, when there are too many", () =>
    Effect.gen(function* () {
      const log = yield* makeLog
      for (const time of [1, 2, 3]) log.open(time)
      log.call(4, 1, 0)
      assert.deepStrictEqual(log.open(5), Reply.opened(4, 100))
      assert.deepStrictEqual(log.call(6, 2, 5), expired(0))
      for (const id of [1, 3, 4]) assert.strictEqual(log.call(7, id, 8)._tag, "Replied", `session ${id}`)
    })
  )

  it.effect("and what they had come to is remembered for as many as there may be, then nothing is known", () =>
    Effect.gen(function* () {
      const log = yield* makeLog
      for (let id = 1; id <= 4; id++) {
        log.open(1_000 * id)
        log.call(1_000 * id, id, 6 + id)
      }
      assert.deepStrictEqual(log.call(9_000, 1, 99), expired(Number.MAX_SAFE_INTEGER))
      assert.deepStrictEqual(log.call(9_000, 2, 99), expired(9))
      assert.deepStrictEqual(log.call(9_000, 4, 99), expired(11))
      assert.deepStrictEqual(log.call(9_000, 5, 99), expired(0))
    })
  )
})

describe("what became of a command", () => {
  it.effect("is told by its first answer", () =>
    Effect.gen(function* () {
      const log = yield* makeLog
      log.open(1)
      const first = log.call(2, 1, 0)
      const asked = log.resolve(3, 1, 0)
      assert.deepStrictEqual(asked, { ...first, slot: 3 } as Reply.Reply)
    })
  )

  it.effect("if it wasn't applied, it never will be, also if it comes later and after a snapshot", () =>
    Effect.gen(function* () {
      const log = yield* makeLog
      log.open(1)
      const withdrawn = (slot: number) => Reply.replied(slot, [Answer.withdrawn])
      assert.deepStrictEqual(log.resolve(2, 1, 3), withdrawn(2))
      assert.deepStrictEqual(log.resolve(3, 1, 3), withdrawn(3))
      log.restore()
      const before = log.replicated().state
      assert.deepStrictEqual(log.call(4, 1, 3, "late"), withdrawn(4))
      assert.strictEqual(log.replicated().state, before)
      assert.strictEqual(log.call(5, 1, 2, "other")._tag, "Replied")
    })
  )

  it.effect("is not told once its answer was let go, nor when its session is over", () =>
    Effect.gen(function* () {
      const log = yield* makeLog
      log.open(1)
      log.call(2, 1, 0)
      log.call(3, 1, 1, "b", 1)
      assert.deepStrictEqual(log.resolve(4, 1, 0), Reply.replied(4, [Answer.forgotten]))
      assert.deepStrictEqual(log.resolve(500, 1, 1), expired(2))
    })
  )
})

describe("a table", () => {
  const step = FastCheck.oneof(
    FastCheck.constant({ _tag: "open" } as const),
    FastCheck.nat(12).map((back) => ({ _tag: "use", back }) as const),
    FastCheck.nat(60).map((time) => ({ _tag: "wait", time }) as const),
    FastCheck.constant({ _tag: "restore" } as const)
  )

  it.effect("holds what a plain list would, whether or not it came from a snapshot", () =>
    Effect.map(Effect.provide(Bank.executor, BankLive), (unbounded) => {
      const executor = unbounded.bounded(bounds)
      FastCheck.assert(
        FastCheck.property(FastCheck.array(step, { maxLength: 60 }), (steps) => {
          let model: Array<{ readonly id: number; readonly used: number }> = []
          let opened = 0
          let time = 0
          let replicated = executor.initial
          let slot = 0
          const apply = (envelope: Envelope.Envelope) => {
            const at = { slot: ++slot, time }
            replicated = executor.apply(replicated, at, Batch.encode([Envelope.encode(envelope)])).state
            model = model.filter(({ used }) => used + bounds.expiry >= time)
          }
          for (const one of steps) {
            switch (one._tag) {
              case "open":
                apply(Envelope.open)
                model.push({ id: ++opened, used: time })
                model.sort((a, b) => a.used - b.used || a.id - b.id)
                model = model.slice(-bounds.most)
                break
              case "use": {
                const id = Math.max(1, opened - one.back)
                apply(Envelope.call({ session: id, acknowledged: 0, first: 0, commands: [] }))
                model = model.map((session) => (session.id === id ? { id, used: time } : session))
                break
              }
              case "wait":
                time += one.time
                break
              case "restore":
                replicated = Either.getOrThrow(executor.restore(executor.snapshot(replicated)))
                break
            }
            const held = SessionTable.entries(replicated.sessions).map(([id, { used }]) => ({ id, used }))
            const sorted = [...model].sort((a, b) => a.id - b.id)
            assert.deepStrictEqual(held, sorted)
            assert.isAtMost(SessionTable.over(replicated.sessions).length, bounds.most)
          }
        })
      )
    })
  )
})
