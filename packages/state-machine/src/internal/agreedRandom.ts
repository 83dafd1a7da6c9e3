/**
 * The generator that handlers see: seeded by the command's place in the log, so that every replica draws the same.
 *
 * It is sfc32 (Chris Doty-Humphrey's small fast counter generator, from PractRand): 96 bits of seed hold the slot and
 * the index whole, so no two commands share a sequence. It is not meant for secrets: anyone who knows the slot can
 * draw the same numbers.
 */
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"

const WARM_UP = 15

export class AgreedRandom implements Random.Random {
  readonly [Random.RandomTypeId]: Random.RandomTypeId = Random.RandomTypeId

  private slot = 0
  private index = 0
  private seeded = false
  private a = 0
  private b = 0
  private c = 0
  private counter = 0

  /** Most commands draw nothing, so the generator is only made ready by the first draw. */
  seed(slot: number, index: number): void {
    this.slot = slot
    this.index = index
    this.seeded = false
  }

  readonly next = Effect.sync(() => this.unit())

  readonly nextBoolean = Effect.sync(() => this.uint32() >= 0x8000_0000)

  readonly nextInt = Effect.sync(() => this.integer(0, Number.MAX_SAFE_INTEGER))

  nextRange(min: number, max: number): Effect.Effect<number> {
    return Effect.sync(() => min + this.unit() * (max - min))
  }

  nextIntBetween(min: number, max: number): Effect.Effect<number> {
    return Effect.sync(() => this.integer(min, max))
  }

  shuffle<A>(elements: Iterable<A>): Effect.Effect<Chunk.Chunk<A>> {
    return Effect.sync(() => {
      const shuffled = Array.from(elements)
      for (let i = shuffled.length - 1; i > 0; i--) {
        const j = this.integer(0, i + 1)
        const element = shuffled[i]!
        shuffled[i] = shuffled[j]!
        shuffled[j] = element
      }
      return Chunk.unsafeFromArray(shuffled)
    })
  }

  private integer(min: number, max: number): number {
    return min + Math.floor(this.unit() * (max - min))
  }

  /** 53 bits, in [0, 1). */
  private unit(): number {
    return ((this.uint32() >>> 5) * 0x400_0000 + (this.uint32() >>> 6)) / 0x20_0000_0000_0000
  }

  /** 32 bits. */
  uint32(): number {
    if (!this.seeded) {
      this.a = this.slot | 0
      this.b = Math.floor(this.slot / 0x1_0000_0000) | 0
      this.c = this.index | 0
      this.counter = 1
      this.seeded = true
      for (let i = 0; i < WARM_UP; i++) this.step()
    }
    return this.step() >>> 0
  }

  private step(): number {
    const sum = (this.a + this.b + this.counter) | 0
    this.counter = (this.counter + 1) | 0
    this.a = this.b ^ (this.b >>> 9)
    this.b = (this.c + (this.c << 3)) | 0
    this.c = (((this.c << 21) | (this.c >>> 11)) + sum) | 0
    return sum
  }
}
