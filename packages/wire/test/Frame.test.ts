import { assert, describe, it } from "@effect/vitest"
import { FastCheck as fc, Option } from "effect"
import { crc32 } from "node:zlib"
import { Frame } from "../src/index.js"

const cluster = Frame.clusterTag("test")
const maxBytes = 4096

const encode = (value?: unknown, options?: Partial<Parameters<typeof Frame.encode>[0]>) =>
  Frame.encode({ cluster, kind: 1, maxBytes, ...options }, value)

const decode = (chunks: Iterable<Uint8Array>, max = maxBytes) => {
  const values: Array<{ readonly kind: number; readonly value: unknown; readonly bytes: number }> = []
  const decoder = Frame.makeDecoder({
    cluster,
    maxBytes: max,
    onFrame: (kind, value, bytes) => {
      values.push({ kind, value, bytes })
      return undefined
    }
  })
  let error: Option.Option<Frame.FrameError> = Option.none()
  for (const chunk of chunks) error = decoder.push(chunk)
  return { values, error, decoder }
}

const reasonOf = (chunk: Uint8Array, max = maxBytes) => Option.getOrThrow(decode([chunk], max).error).reason

/** `bytes` in pieces that end at `cuts`. */
const cut = (bytes: Uint8Array, cuts: ReadonlyArray<number>): Array<Uint8Array> => {
  const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  // Copies, so that a frame that lies in several chunks can't be right by accident.
  return at.slice(1).map((end, i) => Uint8Array.from(bytes.subarray(at[i], end)))
}

const values = fc.oneof(
  fc.constant(undefined),
  fc.uint8Array({ maxLength: 3000 }),
  fc.string({ unit: "binary", maxLength: 800 }),
  fc.anything({
    withBigInt: false,
    withDate: false,
    withMap: false,
    withNullPrototype: false,
    withObjectString: false,
    withSet: false,
    withSparseArray: false,
    withTypedArray: false,
    key: fc.string().filter((key) => key !== "__proto__")
  })
)

/** A value as MessagePack gives it back: it has no negative zero and no properties that are undefined. */
const plain = (value: unknown): unknown => {
  if (Object.is(value, -0)) return 0
  if (Array.isArray(value)) return value.map(plain)
  if (value instanceof Uint8Array || value === null || typeof value !== "object") return value
  return Object.fromEntries(Object.entries(value).map(([key, property]) => [key, plain(property)]))
}

const fits = (value: unknown): boolean => {
  try {
    encode(value)
    return true
  } catch {
    return false
  }
}

describe("Frame", () => {
  it("gives back what was put in, however the bytes are cut", () => {
    fc.assert(
      fc.property(
        fc.array(values.filter(fits), { maxLength: 8 }),
        fc.array(fc.nat(), { maxLength: 40 }),
        (messages, cuts) => {
          const frames = messages.map((message) => encode(message))
          const { error, values } = decode(cut(Buffer.concat(frames), cuts))
          assert.deepStrictEqual(error, Option.none())
          assert.deepStrictEqual(
            values,
            messages.map((message, i) => ({ kind: 1, value: plain(message), bytes: frames[i]!.length }))
          )
        }
      )
    )
  })

  it("gives back what was put in, byte by byte", () => {
    const bytes = Buffer.concat([encode(["one", 1]), encode(), encode(new Uint8Array(2000).fill(3))])
    const { error, values } = decode(Array.from(bytes, (byte) => Uint8Array.of(byte)))
    assert.deepStrictEqual(error, Option.none())
    assert.deepStrictEqual(values, [
      { kind: 1, value: ["one", 1], bytes: 22 },
      { kind: 1, value: undefined, bytes: 16 },
      { kind: 1, value: new Uint8Array(2000).fill(3), bytes: 2019 }
    ])
  })

  it("writes the same bytes for the same value, whatever came before", () => {
    const value = {
      name: "a",
      nested: [
        { x: 1, y: 2 },
        { x: 3, y: 4 }
      ]
    }
    const first = Buffer.from(encode(value))
    encode({ other: "shape", nested: [{ x: 1, z: 2 }] })
    encode(new Uint8Array(3000))
    assert.deepStrictEqual(Buffer.from(encode(value)), first)
  })

  it("gives binary values as plain Uint8Arrays", () => {
    const { values } = decode([Buffer.from(encode(new Uint8Array(3))), Buffer.from(encode(new Uint8Array(300)))])
    for (const { value } of values) assert.strictEqual((value as Uint8Array).constructor, Uint8Array)
    assert.strictEqual(values.length, 2)
  })

  it("refuses to write a body that is too long, and writes the longest", () => {
    assert.throws(() => encode(new Uint8Array(maxBytes)), Frame.FrameError)
    assert.strictEqual(encode(new Uint8Array(maxBytes - 3)).length, Frame.headerBytes + maxBytes)
  })

  it("refuses a length over the bound before the body comes", () => {
    const header = encode(new Uint8Array(maxBytes), { maxBytes: 2 * maxBytes }).slice(0, Frame.headerBytes)
    assert.deepStrictEqual(reasonOf(header), { _tag: "TooLong", length: maxBytes + 3, max: maxBytes })
    assert.strictEqual(reasonOf(new TextEncoder().encode("GET / HTTP/1.1\r\n"))._tag, "TooLong")
  })

  it("refuses any single byte that was changed, and any bit of the checksum", () => {
    const frame = encode(["some", "message", new Uint8Array(20).fill(9)])
    fc.assert(
      fc.property(fc.nat({ max: frame.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, mask) => {
        const changed = Uint8Array.from(frame)
        changed[at]! ^= mask
        const { error, values } = decode([changed])
        assert.deepStrictEqual(values, [])
        // A length that grew within the bound makes the decoder wait for the rest.
        assert.isTrue(Option.isSome(error) || at < 4)
      })
    )
    const changed = Uint8Array.from(frame)
    changed[Frame.headerBytes + 3]! ^= 1
    assert.deepStrictEqual(reasonOf(changed), { _tag: "BadChecksum" })
  })

  it("refuses another cluster and another version", () => {
    assert.deepStrictEqual(reasonOf(encode(1, { cluster: Frame.clusterTag("other") })), { _tag: "OtherCluster" })
    const later = Uint8Array.from(encode(1))
    later[12] = 2
    assert.deepStrictEqual(reasonOf(later), { _tag: "OtherVersion", found: 2, expected: 1 })
  })

  it("reads a goodbye of another cluster", () => {
    const { error, values } = decode([encode(["reason"], { cluster: 1, kind: Frame.goodbye })])
    assert.deepStrictEqual(error, Option.none())
    assert.deepStrictEqual(values, [{ kind: Frame.goodbye, value: ["reason"], bytes: 24 }])
  })

  it("refuses bodies that would make the decoder allocate, recurse or build more than they hold", () => {
    const bodies = [
      [0xdd, 0xff, 0xff, 0xff, 0xff], // an array of 4 billion
      [0xdf, 0x10, 0x00, 0x00, 0x00], // a map of 268 million
      [0x92, 0xdd, 0x00, 0x00, 0x10, 0x00, 0xc0], // a nested array longer than what is left
      [0xc6, 0x7f, 0xff, 0xff, 0xff, 0x00], // 2 GiB of bytes
      [0xc0, 0xc0], // two values
      [0x92, 0xc0], // half a value
      [0xc1], // no token
      [0xd4, 0x72, 0x40, 0x91, 0xa1, 0x61, 0x01], // a record
      [0xd4, 0x78, 0x00, 0x92, 0xa1, 0x61, 0xa0] // a regular expression
    ]
    for (const body of bodies) {
      assert.strictEqual(reasonOf(withBody(body))._tag, "Malformed", body.join(" "))
    }
  })

  it("refuses a body that is nested deeper than the stack", () => {
    const body = new Uint8Array(Frame.defaultMaxBytes).fill(0x91)
    body[body.length - 1] = 0xc0
    assert.strictEqual(reasonOf(withBody(body), Frame.defaultMaxBytes)._tag, "Malformed")
    assert.deepStrictEqual(decode([encode("next")]).values, [{ kind: 1, value: "next", bytes: 21 }])
  })

  it("never throws, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), (body) => {
        decode([withBody(body)])
        decode([body])
      }),
      { numRuns: 2000 }
    )
  })

  it("hands over what came before a bad frame and nothing after it", () => {
    const bad = Uint8Array.from(encode("bad"))
    bad[4]! ^= 1
    const { decoder, error, values } = decode([Buffer.concat([encode("good"), bad, encode("late")])])
    assert.strictEqual(Option.getOrThrow(error).reason._tag, "BadChecksum")
    assert.deepStrictEqual(
      values.map((frame) => frame.value),
      ["good"]
    )
    assert.strictEqual(decoder.push(encode("later")), error)
    assert.strictEqual(values.length, 1)
  })

  it("says what was wrong in a sentence", () => {
    const messages = [
      { _tag: "TooLong", length: 5, max: 4 },
      { _tag: "BadChecksum" },
      { _tag: "OtherCluster" },
      { _tag: "OtherVersion", found: 2, expected: 1 },
      { _tag: "Malformed", detail: "it is empty" }
    ] as const
    assert.deepStrictEqual(
      messages.map((reason) => new Frame.FrameError({ reason }).message),
      [
        "The frame has a body of 5 bytes, and 4 are allowed.",
        "The checksum of the frame doesn't match its bytes.",
        "The frame belongs to another cluster.",
        "The frame has format version 2, and version 1 is expected.",
        "The frame can't be decoded: it is empty."
      ]
    )
  })
})

/** A frame with these bytes for its body, and with the right checksum. */
const withBody = (body: ArrayLike<number>): Uint8Array => {
  const frame = new Uint8Array(Frame.headerBytes + body.length)
  const view = new DataView(frame.buffer)
  view.setUint32(0, body.length)
  view.setUint32(8, cluster)
  frame[12] = Frame.version
  frame[13] = 1
  frame.set(body, Frame.headerBytes)
  view.setUint32(4, crc32(frame.subarray(8)))
  return frame
}
