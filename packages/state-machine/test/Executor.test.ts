import { Rpc } from "@effect/rpc"
import { assert, describe, it } from "@effect/vitest"
import { Batch, Envelope, Reply, Session, SessionTable, StateMachine } from "@synod/state-machine"
import { Clock, Config, Context, DateTime, Effect, Either, FastCheck, Layer, Logger, Random, Schema } from "effect"
import { Bank, BankLive } from "./Bank.js"
import { apply, call, command, digestOf, type Log, query, readAnswer, start } from "./Machine.js"

const quiet = Logger.remove(Logger.defaultLogger)

const executorOf = <M extends StateMachine.Any, E>(machine: M, layer: Layer.Layer<StateMachine.ExecutorId<M>, E>) =>
  Effect.map(Layer.build(Layer.provide(layer, quiet)), (context) => Context.unsafeGet(context, machine.executor))

const bankLog = Effect.map(executorOf(Bank, BankLive), start)

/** A machine whose only command does what the test says. */
const Probe = StateMachine.make("Probe", {
  version: 1,
  state: Schema.Int,
  initial: 0,
  commands: [Rpc.make("Run", { success: Schema.Int, error: Schema.Int })],
  queries: [Rpc.make("Look", { success: Schema.Int, error: Schema.Int })]
})

type Handler = (state: number) => Effect.Effect<number, number>

/** Each success becomes the next state. */
const probeLog = (handler: Handler) =>
  executorOf(
    Probe,
    Probe.toLayer({
      Run: (state) => Effect.map(handler(state), (value) => [value, value] as const),
      Look: handler
    })
  ).pipe(Effect.map(start))

const runs = (handler: Handler, times = 1) =>
  Effect.map(probeLog(handler), (log) =>
    call(
      log,
      0,
      Array.from({ length: times }, () => command("Run"))
    )
  )

const success = (value: unknown) => ({ _tag: "Success", value }) as const
const defect = (reason: string, name = "Run") => ({ _tag: "Defect", command: name, reason }) as const
const ASYNCHRONOUS = "its handler went asynchronous: it slept, or waited for a promise, a callback or another fiber"

const account = (name: string, amount: number) => command("Open", { account: name, amount })
const transfer = (from: string, to: string, amount: number) => command("Transfer", { from, to, amount })
const balance = (log: Log, name: string) => query(log, command("Balance", { account: name }))

describe("Executor", () => {
  describe("Clock and Random", () => {
    it.scoped("show the time agreed for the slot, which stands still", () =>
      Effect.gen(function* () {
        const { answers } = yield* runs(() =>
          Effect.gen(function* () {
            const before = yield* Clock.currentTimeMillis
            const nanos = yield* Clock.currentTimeNanos
            const after = DateTime.toEpochMillis(yield* DateTime.now)
            assert.strictEqual(before, after)
            assert.strictEqual(nanos, BigInt(before) * 1_000_000n)
            return before
          })
        )
        assert.deepStrictEqual(answers, [success(2_000)])
      })
    )

    it.scoped("draw the same for a command wherever it is applied, and another for each command", () =>
      Effect.gen(function* () {
        const draws = runs(() => Random.nextIntBetween(0, 2 ** 52), 100)
        const first = yield* draws
        const second = yield* draws
        assert.deepStrictEqual(first.answers, second.answers)
        assert.strictEqual(new Set(first.answers.map((answer) => JSON.stringify(answer))).size, 100)
      })
    )

    it.scoped("do not depend on which command came before", () =>
      Effect.gen(function* () {
        const drawOnEven = yield* probeLog((state) => (state === 7 ? Effect.succeed(7) : Random.nextInt))
        const alone = call(drawOnEven, 5, [command("None"), command("Run")]).answers[1]
        const afterOther = call(drawOnEven, 5, [command("Run"), command("Run")]).answers[1]
        assert.deepStrictEqual(alone, afterOther)
      })
    )

    it.scoped("draw evenly", () =>
      Effect.gen(function* () {
        const { answers } = yield* runs(() => Random.nextIntBetween(0, 10), 10_000)
        const counts = Array.from({ length: 10 }, () => 0)
        for (const answer of answers) if (answer._tag === "Success") counts[Number(answer.value)]!++
        for (const count of counts) assert.isTrue(count > 850 && count < 1_150, `a digit came ${count} times of 1000`)
      })
    )

    it.scoped("serve every method of Random", () =>
      Effect.gen(function* () {
        const { answers } = yield* runs(() =>
          Effect.gen(function* () {
            const unit = yield* Random.next
            assert.isTrue(unit >= 0 && unit < 1)
            const range = yield* Random.nextRange(5, 6)
            assert.isTrue(range >= 5 && range < 6)
            assert.strictEqual(typeof (yield* Random.nextBoolean), "boolean")
            assert.isTrue(Number.isSafeInteger(yield* Random.nextInt))
            assert.deepStrictEqual(Array.from(yield* Random.shuffle([1, 2, 3, 4])).sort(), [1, 2, 3, 4])
            return 1
          })
        )
        assert.deepStrictEqual(answers, [success(1)])
      })
    )
  })

  describe("a handler that", () => {
    const changesNothing = (what: string, reason: string, handler: Handler) =>
      it.scoped(`${what} changes nothing and is a defect`, () =>
        Effect.gen(function* () {
          const log = yield* probeLog(handler)
          const { answers, log: after } = call(log, 0, [command("Run")])
          assert.deepStrictEqual(answers, [defect(reason)])
          assert.strictEqual(after.replicated.state, 0)
          assert.deepStrictEqual(query(log, command("Look")), defect(reason, "Look"))
        })
      )

    changesNothing("sleeps", ASYNCHRONOUS, () => Effect.as(Effect.sleep("1 millis"), 1))
    changesNothing("waits for a promise", ASYNCHRONOUS, () => Effect.promise(() => Promise.resolve(1)))
    changesNothing("waits for ever", ASYNCHRONOUS, () => Effect.never)
    changesNothing("waits and can't be interrupted", ASYNCHRONOUS, () => Effect.uninterruptible(Effect.never))
    changesNothing("never ends", "its handler did not end within a million steps", () => Effect.forever(Effect.void))
    changesNothing("never ends and can't be interrupted", "its handler did not end within a million steps", () =>
      Effect.uninterruptible(Effect.forever(Effect.void))
    )
    changesNothing("interrupts itself", "its handler interrupted itself", () => Effect.interrupt)
    changesNothing("throws", "its handler died with an Error: boom", () => {
      throw new Error("boom")
    })
    changesNothing("dies", 'its handler died with "boom"', () => Effect.die("boom"))
    changesNothing("dies with what the engine throws", "its handler died with a TypeError", (state) =>
      Effect.sync(() => (state as unknown as { readonly a: { readonly b: number } }).a.b)
    )
    changesNothing("dies with what can't be read", "its handler died with a value that can't be described", () =>
      Effect.die({
        get _tag() {
          throw new Error("no")
        }
      })
    )
    changesNothing("dies at length", `its handler died with "${"x".repeat(200)}…"`, () => Effect.die("x".repeat(1_000)))
    changesNothing("reads the environment", "its handler died with a ConfigError", () =>
      Effect.orDie(Config.integer("HOME"))
    )
    changesNothing("succeeds with what its schema refuses", "its handler's success doesn't fit its schema", () =>
      Effect.succeed(0.5)
    )
    changesNothing("fails with what its schema refuses", "its handler's error doesn't fit its schema", () =>
      Effect.fail(0.5)
    )

    it.scoped("fails changes nothing and replies with its error", () =>
      Effect.gen(function* () {
        const { answers, log } = yield* runs(() => Effect.fail(7), 2)
        assert.deepStrictEqual(answers, [
          { _tag: "Failure", error: 7 },
          { _tag: "Failure", error: 7 }
        ])
        assert.strictEqual(log.replicated.state, 0)
      })
    )

    it.scoped("takes more than one turn of the scheduler is served all the same", () =>
      Effect.gen(function* () {
        const { answers } = yield* runs(() =>
          Effect.gen(function* () {
            yield* Effect.yieldNow()
            const parts = yield* Effect.forEach([1, 2, 3], (n) => Effect.as(Effect.yieldNow(), n), {
              concurrency: "unbounded"
            })
            return yield* Effect.timeout(Effect.succeed(parts.length), "1 second").pipe(Effect.orDie)
          })
        )
        assert.deepStrictEqual(answers, [success(3)])
      })
    )

    it.scoped("goes asynchronous is finalized at once and takes no step later", () =>
      Effect.gen(function* () {
        const steps: Array<string> = []
        let resume: (effect: Effect.Effect<void>) => void = () => {}
        const log = yield* probeLog(() =>
          Effect.async<void>((resumed) => {
            resume = resumed
          }).pipe(
            Effect.uninterruptible,
            Effect.andThen(Effect.sync(() => steps.push("later"))),
            Effect.ensuring(Effect.sync(() => steps.push("finalized late")))
          )
        )
        const polite = yield* probeLog(() =>
          Effect.ensuring(
            Effect.never,
            Effect.sync(() => steps.push("finalized"))
          )
        )
        call(polite, 0, [command("Run")])
        assert.deepStrictEqual(steps, ["finalized"])
        call(log, 0, [command("Run")])
        resume(Effect.void)
        yield* Effect.yieldNow()
        yield* Effect.promise(() => Promise.resolve())
        assert.deepStrictEqual(steps, ["finalized"])
      })
    )

    it.scoped("dies leaves its stack trace in the log of the replica", () =>
      Effect.gen(function* () {
        const messages: Array<string> = []
        const logger = Logger.make<unknown, void>(({ cause, message }) => {
          messages.push(`${String(message)} ${String(cause)}`)
        })
        const context = yield* Layer.build(
          Probe.toLayer({ Run: () => Effect.die(new Error("boom")), Look: () => Effect.succeed(1) }).pipe(
            Layer.provide(Logger.replace(Logger.defaultLogger, logger))
          )
        )
        call(start(Context.get(context, Probe.executor)), 0, [command("Run")])
        assert.strictEqual(messages.length, 1)
        assert.include(messages[0], "The handler of Run died")
        assert.include(messages[0], "boom")
      })
    )
  })

  describe("what can't be decoded", () => {
    it.scoped("is answered as a defect and changes nothing", () =>
      Effect.gen(function* () {
        const log = yield* bankLog
        const { answers, log: after } = call(log, 0, [
          command("Close", {}),
          command("Balance", { account: "alice" }),
          account("alice", -1),
          new Uint8Array([0xc1]),
          new Uint8Array()
        ])
        assert.deepStrictEqual(answers, [
          defect("Bank has no such command", "Close"),
          defect("Bank has no such command", "Balance"),
          defect("its payload doesn't fit its schema", "Open"),
          defect("Malformed command at byte 0: expected MessagePack", "A command"),
          defect("Malformed command at byte 0: expected a value", "A command")
        ])
        assert.strictEqual(after.replicated.state, log.replicated.state)
        assert.deepStrictEqual(query(log, transfer("a", "b", 1)), defect("Bank has no such query", "Transfer"))
      })
    )

    it.scoped("is refused as an envelope, next to envelopes that are served", () =>
      Effect.gen(function* () {
        const log = yield* bankLog
        const { replies } = apply(log, [
          new Uint8Array([9]),
          Envelope.encode(Envelope.open),
          Envelope.encode(Envelope.call({ session: 9, acknowledged: 0, first: 0, commands: [account("x", 1)] }))
        ])
        assert.deepStrictEqual(replies, [
          Reply.refused("Malformed envelope at byte 1: expected format 1"),
          Reply.opened(2, SessionTable.defaults.expiry),
          Reply.sessionExpired(0)
        ])
      })
    )

    it.scoped("gets no reply as a batch", () =>
      Effect.gen(function* () {
        const { executor, replicated } = yield* bankLog
        const applied = executor.apply(replicated, { slot: 2, time: 0 }, new Uint8Array([1, 200]))
        assert.deepStrictEqual(applied.replies, [])
        assert.strictEqual(applied.state, replicated)
      })
    )

    it.scoped("never throws, and is answered alike by every replica", () =>
      Effect.gen(function* () {
        const log = yield* bankLog
        const valid = Batch.encode([
          Envelope.encode(
            Envelope.call({ session: 1, acknowledged: 0, first: 0, commands: [account("a", 1), transfer("a", "b", 1)] })
          )
        ])
        const mutated = FastCheck.array(FastCheck.tuple(FastCheck.nat(valid.length - 1), FastCheck.nat(255)), {
          minLength: 1,
          maxLength: 6
        }).map((edits) => {
          const bytes = valid.slice()
          for (const [at, byte] of edits) bytes[at] = byte
          return bytes
        })
        const hostile = FastCheck.oneof(FastCheck.uint8Array({ maxLength: 200 }), mutated)
        FastCheck.assert(
          FastCheck.property(hostile, (bytes) => {
            const at = { slot: 2, time: 0 }
            const one = log.executor.apply(log.replicated, at, bytes)
            const other = log.executor.apply(log.replicated, at, bytes.slice())
            assert.deepStrictEqual(one.replies, other.replies)
            assert.strictEqual(log.executor.digest(one.state), log.executor.digest(other.state))
            readAnswer(log.executor.query(log.replicated, at, bytes))
          }),
          { numRuns: 2_000 }
        )
      })
    )
  })

  describe("sessions", () => {
    it.scoped("answer a duplicate as the first time, and apply it once", () =>
      Effect.gen(function* () {
        const opened = call(yield* bankLog, 0, [account("a", 10), account("b", 0)]).log
        const first = call(opened, 2, [transfer("a", "b", 6), transfer("a", "b", 6)])
        assert.deepStrictEqual(
          first.answers.map(({ _tag }) => _tag),
          ["Success", "Failure"]
        )
        // By now the second would succeed.
        const filled = call(first.log, 4, [account("a", 100)])
        const again = call(filled.log, 2, [transfer("a", "b", 6), transfer("a", "b", 6), transfer("a", "b", 6)])
        assert.deepStrictEqual(again.answers.slice(0, 2), first.answers)
        assert.deepStrictEqual(again.answers[2], filled.answers[0])
        assert.deepStrictEqual(balance(again.log, "a"), success(100))
      })
    )

    it.scoped("apply commands that overtook each other, each once", () =>
      Effect.gen(function* () {
        const later = call(yield* bankLog, 2, [account("c", 3)])
        const earlier = call(later.log, 0, [account("a", 1), account("b", 2), account("c", 99)])
        assert.deepStrictEqual(balance(earlier.log, "b"), success(2))
        assert.deepStrictEqual(balance(earlier.log, "c"), success(3))
      })
    )

    it.scoped("ignore what was acknowledged", () =>
      Effect.gen(function* () {
        const opened = call(yield* bankLog, 0, [account("a", 10)])
        const acknowledged = call(opened.log, 1, [account("b", 1)], { acknowledged: 1 })
        const late = call(acknowledged.log, 0, [account("a", 99)])
        assert.deepStrictEqual(late.answers, [{ _tag: "Forgotten" }])
        assert.deepStrictEqual(balance(late.log, "a"), success(10))
        assert.strictEqual(late.log.replicated.state, acknowledged.log.replicated.state)
      })
    )

    it.scoped("refuse what lies beyond the window", () =>
      Effect.gen(function* () {
        const log = yield* bankLog
        const { answers } = call(log, Session.WINDOW, [account("a", 1)])
        assert.deepStrictEqual(
          answers.map(({ _tag }) => _tag),
          ["Defect"]
        )
        const moved = call(log, Session.WINDOW, [account("a", 1)], { acknowledged: 1 })
        assert.deepStrictEqual(moved.answers, [success(undefined)])
      })
    )

    it.scoped("are numbered in the order they are opened, and apart from each other", () =>
      Effect.gen(function* () {
        const { log, replies } = apply(yield* bankLog, [
          Envelope.encode(Envelope.open),
          Envelope.encode(Envelope.open),
          Envelope.encode(Envelope.call({ session: 3, acknowledged: 0, first: 0, commands: [account("a", 1)] }))
        ])
        assert.deepStrictEqual(
          replies.slice(0, 2),
          [2, 3].map((id) => Reply.opened(id, 3_600_000))
        )
        assert.strictEqual(call(log, 0, [account("a", 2)], { session: 4 }).reply._tag, "SessionExpired")
        assert.deepStrictEqual(balance(call(log, 0, [account("a", 2)], { session: 2 }).log, "a"), success(2))
      })
    )
  })

  describe("any log", () => {
    const name = FastCheck.constantFrom("a", "b", "c", "__proto__")
    const anyCommand = FastCheck.oneof(
      FastCheck.tuple(name, FastCheck.integer({ min: -1, max: 100 })).map(([to, amount]) => account(to, amount)),
      FastCheck.tuple(name, name, FastCheck.nat(60)).map(([from, to, amount]) => transfer(from, to, amount)),
      FastCheck.constant(new Uint8Array([0xc1]))
    )
    const anyEnvelope = FastCheck.oneof(
      { weight: 1, arbitrary: FastCheck.constant(Envelope.open) },
      {
        weight: 9,
        arbitrary: FastCheck.record({
          session: FastCheck.integer({ min: 1, max: 3 }),
          acknowledged: FastCheck.nat(6),
          first: FastCheck.nat(8),
          commands: FastCheck.array(anyCommand, { maxLength: 4 })
        }).map(Envelope.call)
      }
    )
    const anyLog = FastCheck.array(FastCheck.array(anyEnvelope.map(Envelope.encode), { maxLength: 3 }), {
      maxLength: 20
    })

    const replay = (log: Log, batches: ReadonlyArray<ReadonlyArray<Uint8Array>>) => {
      const replies: Array<Reply.Reply> = []
      let current = log
      for (const batch of batches) {
        const applied = apply(current, batch)
        current = applied.log
        replies.push(...applied.replies)
      }
      return { log: current, replies, digest: digestOf(current) }
    }

    it.scoped("has one outcome, and leaves the states before it as they were", () =>
      Effect.gen(function* () {
        const origin = yield* bankLog
        FastCheck.assert(
          FastCheck.property(anyLog, anyLog, (batches, others) => {
            const halfway = replay(origin, batches)
            const one = replay(halfway.log, others)
            const other = replay(halfway.log, others)
            assert.deepStrictEqual(one.replies, other.replies)
            assert.strictEqual(one.digest, other.digest)
            assert.strictEqual(digestOf(halfway.log), halfway.digest)
            assert.deepStrictEqual(replay(origin, [...batches, ...others]).digest, one.digest)
          })
        )
      })
    )

    it.scoped("goes on from a snapshot as if nothing had happened", () =>
      Effect.gen(function* () {
        const origin = yield* bankLog
        FastCheck.assert(
          FastCheck.property(anyLog, anyLog, (batches, others) => {
            const halfway = replay(origin, batches)
            const { executor, replicated } = halfway.log
            const restored = Either.getOrThrow(executor.restore(executor.snapshot(replicated)))
            assert.strictEqual(executor.digest(restored), halfway.digest)
            const kept = replay(halfway.log, others)
            const resumed = replay({ ...halfway.log, replicated: restored }, others)
            assert.deepStrictEqual(resumed.replies, kept.replies)
            assert.strictEqual(resumed.digest, kept.digest)
          })
        )
      })
    )
  })
})
