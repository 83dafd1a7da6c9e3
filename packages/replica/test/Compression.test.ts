import { describe, expect, it } from "@effect/vitest"
import { Compression } from "@synod/replica"
import { Effect, Either } from "effect"

const text = Buffer.from("a piece of a snapshot, of which there are many like it; ".repeat(1_000))

/** What no compression makes shorter. */
const noise = Uint8Array.from({ length: 5_000 }, (_, i) => (Math.imul(i + 1, 0x9e3779b1) ^ (i << 7)) >>> 11)

const both = (how: Compression.Compression) => Effect.all([Compression.compressor(how), Compression.decompressor])

const ZSTD = 1

/** A piece whose frame says that so many bytes come of it, in the eight bytes that a header may have for that. */
const announcing = (bytes: bigint, rest: Uint8Array = new Uint8Array(0)): Uint8Array => {
  const head = Buffer.alloc(1 + 4 + 1 + 8)
  head[0] = ZSTD
  head.writeUInt32LE(0xfd2fb528, 1)
  // A single segment, with its size in eight bytes (RFC 8878, 3.1.1.1.1).
  head[5] = 0b1110_0000
  head.writeBigUInt64LE(bytes, 6)
  return Buffer.concat([head, rest])
}

/** A block of one byte, repeated so often, which takes four bytes (RFC 8878, 3.1.1.2). */
const repeated = (times: number, isLast: boolean): Uint8Array => {
  const block = Buffer.alloc(4)
  block.writeUIntLE((times << 3) | (1 << 1) | (isLast ? 1 : 0), 0, 3)
  block[3] = 7
  return block
}

/** The longest block that there is. */
const longestBlock = 128 * 1024

describe("a piece of a snapshot", () => {
  for (const how of ["zstd", "none"] as const) {
    it.effect(`comes out as it went in: ${how}`, () =>
      Effect.gen(function* () {
        const [compress, decompress] = yield* both(how)
        for (const raw of [text, noise, Uint8Array.of(1), new Uint8Array(0), new Uint8Array(Compression.longest)]) {
          const out = Either.getOrThrow(decompress(compress(raw)))
          expect(Buffer.compare(out, raw)).toBe(0)
        }
      })
    )
  }

  it.effect("is compressed where that makes it shorter, and alike each time", () =>
    Effect.gen(function* () {
      const [compress] = yield* both("zstd")
      expect(compress(text).length).toBeLessThan(text.length / 10)
      expect(compress(text)).toEqual(compress(text))
      expect(compress(noise).length).toBeLessThanOrEqual(noise.length + 1)
    })
  )

  it.effect("is read whatever this replica writes itself", () =>
    Effect.gen(function* () {
      const [compress] = yield* both("zstd")
      const [plain, decompress] = yield* both("none")
      expect(Buffer.compare(Either.getOrThrow(decompress(compress(text))), text)).toBe(0)
      expect(plain(text).length).toBe(text.length + 1)
    })
  )

  it.effect("that would become more than is allowed is refused, by what it announces", () =>
    Effect.gen(function* () {
      const decompress = yield* Compression.decompressor
      const before = process.memoryUsage()
      // 4 GiB in blocks of four bytes, as it says; and what says so and holds nothing.
      const blocks = Array.from({ length: 32_768 }, (_, i) => repeated(longestBlock, i === 32_767))
      for (const size of [BigInt(32_768 * longestBlock), 2n ** 62n, 2n ** 64n - 1n, BigInt(Compression.longest + 1)]) {
        const refused = decompress(announcing(size, Buffer.concat(blocks)))
        expect(Either.isLeft(refused) && refused.left).toContain(`and ${Compression.longest} are allowed`)
      }
      const after = process.memoryUsage()
      expect(after.rss - before.rss).toBeLessThan(64 * 1024 * 1024)
    })
  )

  it.effect("that becomes more than it announces is refused, and never held", () =>
    Effect.gen(function* () {
      const decompress = yield* Compression.decompressor
      const before = process.memoryUsage()
      const blocks = Array.from({ length: 4_096 }, (_, i) => repeated(longestBlock, i === 4_095))
      for (const size of [1n, 1_000n, BigInt(longestBlock), BigInt(Compression.longest)]) {
        expect(Either.isLeft(decompress(announcing(size, Buffer.concat(blocks))))).toBe(true)
      }
      const after = process.memoryUsage()
      // 512 MiB would have come of it.
      expect(after.rss - before.rss).toBeLessThan(128 * 1024 * 1024)
      // And what is well is read after that.
      const [compress] = yield* both("zstd")
      expect(Buffer.compare(Either.getOrThrow(decompress(compress(text))), text)).toBe(0)
    })
  )

  it.effect("that became less than it announces is refused", () =>
    Effect.gen(function* () {
      const decompress = yield* Compression.decompressor
      expect(Either.isLeft(decompress(announcing(1_000n, repeated(999, true))))).toBe(true)
      expect(Either.getOrThrow(decompress(announcing(1_000n, repeated(1_000, true)))).length).toBe(1_000)
    })
  )

  it.effect("that is damaged, cut off or of another kind is refused, and nothing throws", () =>
    Effect.gen(function* () {
      const [compress, decompress] = yield* both("zstd")
      const whole = compress(text)
      for (let length = 0; length < whole.length; length++) {
        const cut = decompress(whole.subarray(0, length))
        expect(Either.isLeft(cut)).toBe(true)
      }
      for (let bit = 0; bit < whole.length * 8; bit++) {
        const flipped = whole.slice()
        flipped[bit >> 3]! ^= 1 << (bit & 7)
        // A checksum around the piece tells the rest: here it must only end.
        const out = decompress(flipped)
        if (Either.isRight(out)) expect(out.right.length).toBeLessThanOrEqual(Compression.longest)
      }
      expect(Either.isLeft(decompress(Uint8Array.of(9, 1, 2, 3)))).toBe(true)
      expect(Either.isLeft(decompress(Uint8Array.of(ZSTD)))).toBe(true)
    })
  )
})
