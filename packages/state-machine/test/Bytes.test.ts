import { assert, describe, it } from "@effect/vitest"
import { Answer, Batch, Command, Envelope, type Malformed, Reply } from "@synod/state-machine"
import { Either, FastCheck } from "effect"

const bytes = FastCheck.uint8Array({ maxLength: 300 })
const counter = FastCheck.oneof(FastCheck.nat(300), FastCheck.maxSafeNat())

const anyEnvelope: FastCheck.Arbitrary<Envelope.Envelope> = FastCheck.oneof(
  FastCheck.constant(Envelope.open),
  FastCheck.record({
    session: counter,
    acknowledged: counter,
    first: FastCheck.oneof(FastCheck.nat(300), FastCheck.constant(2 ** 53 - 100)),
    commands: FastCheck.array(bytes)
  }).map(Envelope.call),
  FastCheck.tuple(counter, counter).map(([session, sequence]) => Envelope.resolve(session, sequence))
)

const anyReply: FastCheck.Arbitrary<Reply.Reply> = FastCheck.oneof(
  FastCheck.tuple(counter, counter).map(([session, expiry]) => Reply.opened(session, expiry)),
  FastCheck.tuple(counter, FastCheck.array(bytes)).map(([slot, answers]) => Reply.replied(slot, answers)),
  counter.map(Reply.sessionExpired),
  FastCheck.string().map(Reply.refused)
)

/** What the plain kinds of MessagePack can hold, and nothing that a round trip may change. */
const anyValue = FastCheck.letrec((tie) => ({
  value: FastCheck.oneof(
    { maxDepth: 5 },
    FastCheck.constantFrom<unknown>(undefined, null, true, false),
    FastCheck.double({ noNaN: true }).map((n) => n + 0),
    FastCheck.integer(),
    FastCheck.maxSafeInteger(),
    FastCheck.string({ unit: "grapheme" }),
    FastCheck.bigInt({ min: -(2n ** 200n), max: 2n ** 200n }),
    FastCheck.array(tie("value")),
    FastCheck.dictionary(
      FastCheck.string({ maxLength: 20 }).filter((key) => key !== "__proto__"),
      tie("value")
    )
  )
})).value

const codecs: ReadonlyArray<{
  readonly name: string
  readonly decode: (bytes: Uint8Array) => Either.Either<unknown, Malformed.Malformed>
  readonly valid: FastCheck.Arbitrary<Uint8Array>
}> = [
  { name: "Batch", decode: Batch.decode, valid: FastCheck.array(bytes).map(Batch.encode) },
  { name: "Envelope", decode: Envelope.decode, valid: anyEnvelope.map(Envelope.encode) },
  { name: "Reply", decode: Reply.decode, valid: anyReply.map(Reply.encode) },
  { name: "Command", decode: Command.decode, valid: anyValue.map((value) => command("Tag", value)) },
  { name: "Answer", decode: Answer.decode, valid: anyValue.map((value) => Either.getOrThrow(Answer.failure(value))) }
]

const command = (tag: string, payload: unknown) => Either.getOrThrow(Command.encode(tag, payload))

describe("bytes", () => {
  const roundTrips = <A>(
    name: string,
    any: FastCheck.Arbitrary<A>,
    encode: (value: A) => Uint8Array,
    decode: (bytes: Uint8Array) => Either.Either<A, Malformed.Malformed>
  ) =>
    it(`of ${name} decode to what was encoded`, () => {
      FastCheck.assert(
        FastCheck.property(any, (value) => {
          assert.deepStrictEqual(Either.getOrThrow(decode(encode(value))), value)
        })
      )
    })

  roundTrips("Batch", FastCheck.array(bytes), Batch.encode, Batch.decode)
  roundTrips("Envelope", anyEnvelope, Envelope.encode, Envelope.decode)
  roundTrips("Reply", anyReply, Reply.encode, Reply.decode)
  roundTrips(
    "Command",
    FastCheck.record({ tag: FastCheck.string({ unit: "grapheme" }), payload: anyValue }, { noNullPrototype: true }),
    ({ payload, tag }) => command(tag, payload),
    Command.decode
  )

  it("of Answer decode to what was encoded", () => {
    const read = (answer: Either.Either<Uint8Array, unknown>) =>
      Either.getOrThrow(Answer.decode(Either.getOrThrow(answer)))
    assert.deepStrictEqual(read(Answer.success(undefined)), { _tag: "Success", value: undefined })
    assert.deepStrictEqual(read(Answer.success(null)), { _tag: "Success", value: null })
    assert.deepStrictEqual(read(Answer.failure({ a: [1] })), { _tag: "Failure", error: { a: [1] } })
    assert.deepStrictEqual(read(Either.right(Answer.defect("C", "r"))), { _tag: "Defect", command: "C", reason: "r" })
    assert.deepStrictEqual(read(Either.right(Answer.forgotten)), { _tag: "Forgotten" })
    assert.deepStrictEqual(read(Either.right(Answer.withdrawn)), { _tag: "Withdrawn" })
  })

  for (const { decode, name, valid } of codecs) {
    it(`of ${name} are refused, and never thrown at, when they are hostile`, () => {
      const edited = FastCheck.tuple(
        valid,
        FastCheck.array(FastCheck.tuple(FastCheck.nat(400), FastCheck.nat(255)))
      ).map(([base, edits]) => {
        const copy = base.slice()
        for (const [at, byte] of edits) if (at < copy.length) copy[at] = byte
        return copy
      })
      FastCheck.assert(
        FastCheck.property(FastCheck.oneof(bytes, edited), (hostile) => {
          const decoded = decode(hostile)
          if (Either.isLeft(decoded)) assert.match(decoded.left.message, /^Malformed .+ at byte \d+: expected .+$/)
        }),
        { numRuns: 1_000 }
      )
    })

    it(`of ${name} are refused when they are cut short or go on`, () => {
      FastCheck.assert(
        FastCheck.property(valid, FastCheck.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (whole, at) => {
          assert.isTrue(Either.isLeft(decode(whole.subarray(0, Math.floor(at * whole.length)))))
          assert.isTrue(Either.isLeft(decode(Uint8Array.of(...whole, 0))))
        })
      )
    })
  }

  const refuses = (
    what: string,
    hostile: ReadonlyArray<number>,
    expected: string,
    decode: (typeof codecs)[0]["decode"]
  ) =>
    it(`${what} is refused before anything is allocated for it`, () => {
      const decoded = decode(Uint8Array.from(hostile))
      assert.isTrue(Either.isLeft(decoded) && decoded.left.message.includes(expected))
    })

  const manyVarint = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]
  refuses("a count of envelopes", [1, ...manyVarint, 0], "expected 70368744177663 envelopes", Batch.decode)
  refuses("a length of an envelope", [1, 1, ...manyVarint, 0], "70368744177663 bytes of envelopes", Batch.decode)
  refuses("a number past 2^53", [1, 0, ...Array(7).fill(0xff), 0x7f], "below 2^53", Reply.decode)
  refuses("a number of too many bytes", [1, 0, ...Array(9).fill(0x80), 0], "at most 8 bytes", Reply.decode)
  refuses("an array of 2^32 - 1", [0xdd, 255, 255, 255, 255, 0], "ends within the bytes", Command.decode)
  refuses("a map of 2^32 - 1", [0xdf, 255, 255, 255, 255, 0], "ends within the bytes", Command.decode)
  refuses("a string of 2^32 - 1", [0xdb, 255, 255, 255, 255, 0], "ends within the bytes", Command.decode)
  refuses("a record definition", [0x92, 0xa1, 65, 0xd4, 0x72, 0x40, 0x90], "an extension for", Command.decode)
  refuses("a regular expression", [0x92, 0xa1, 65, 0xd4, 0x78, 0, 0x92, 0xa1, 65, 0xa0], "an extension", Command.decode)

  it("nested deeper than 128 levels are refused on both sides", () => {
    const nested = (levels: number): unknown => (levels === 0 ? 0 : [nested(levels - 1)])
    assert.isTrue(Either.isRight(Command.decode(command("Tag", nested(127)))))
    assert.isTrue(Either.isLeft(Command.encode("Tag", nested(128))))
    assert.isTrue(Either.isLeft(Command.decode(new Uint8Array(100_000).fill(0x91))))
  })

  it("are the same for the same value", () => {
    assert.deepStrictEqual(
      Array.from(command("Put", { key: "k", value: 1 })),
      [0x92, 0xa3, 80, 117, 116, 0x82, 0xa3, 107, 101, 121, 0xa1, 107, 0xa5, 118, 97, 108, 117, 101, 0x01]
    )
  })
})
