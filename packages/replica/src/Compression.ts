/**
 * Pieces of snapshots, compressed or not. Each names how, so that a replica can read what another one with other settings
 * wrote, or it itself before.
 *
 * ```
 *   ┌──────┬────────                      0  as it is
 *   │ kind │ body …                       1  one zstd frame, which tells its size (RFC 8878)
 *   └──────┴────────
 *    1 byte
 * ```
 *
 * Zstd runs as WebAssembly, since Node 20 has none of its own.
 *
 * @since 0.1.0
 */
import * as Zstd from "@bokuweb/zstd-wasm"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"

/**
 * @since 0.1.0
 * @category models
 */
export type Compression = "zstd" | "none"

const NONE = 0
const ZSTD = 1

/** Level 3, zstd's default, takes a third longer for a few bytes less. */
const level = 1

/**
 * The longest piece, in bytes before it is compressed: 16 MiB. What announces more isn't decompressed.
 *
 * @since 0.1.0
 * @category constants
 */
export const longest = 16 * 1024 * 1024

let loading: Promise<void> | undefined
let loaded = false

/**
 * Loads the code, once for a process; at once, where it is there already.
 *
 * @since 0.1.0
 * @category loading
 */
export const load: Effect.Effect<void> = Effect.suspend(() => {
  if (loaded) return Effect.void
  return Effect.promise(() => (loading ??= Zstd.init().then(() => void (loaded = true))))
})

/**
 * @since 0.1.0
 * @category constructors
 */
export const compressor = (how: Compression): Effect.Effect<(raw: Uint8Array) => Uint8Array> =>
  how === "none"
    ? Effect.succeed((raw) => tagged(NONE, raw))
    : Effect.as(load, (raw) => {
        const compressed = Zstd.compress(raw as Buffer, level)
        return compressed.length < raw.length ? tagged(ZSTD, compressed) : tagged(NONE, raw)
      })

/**
 * Reads a piece of either kind; the left says what is wrong with it.
 *
 * @since 0.1.0
 * @category constructors
 */
export const decompressor: Effect.Effect<(piece: Uint8Array) => Either.Either<Uint8Array, string>> = Effect.as(
  load,
  (piece) => {
    const body = piece.subarray(1)
    if (piece[0] === NONE) return Either.right(body)
    if (piece[0] !== ZSTD) return Either.left("the compression isn't known")
    const size = contentSize(body)
    if (size === undefined) return Either.left("the compressed size isn't told")
    if (size > longest) return Either.left(`${size} bytes would come of it, and ${longest} are allowed`)
    if (size === 0) return Either.right(new Uint8Array(0))
    return Either.flatMap(
      Either.try({ try: () => Zstd.decompress(body as Buffer), catch: () => "the compressed bytes are damaged" }),
      (raw) => (raw.length === size ? Either.right(raw) : Either.left("another size than told came of it"))
    )
  }
)

const tagged = (kind: number, body: Uint8Array): Uint8Array => {
  const piece = new Uint8Array(1 + body.length)
  piece[0] = kind
  piece.set(body, 1)
  return piece
}

/** What a frame's header says that comes of it (RFC 8878, 3.1.1.1). */
const contentSize = (frame: Uint8Array): number | undefined => {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length)
  if (frame.length < 6 || view.getUint32(0, true) !== 0xfd2fb528) return undefined
  const descriptor = frame[4]!
  const isSingleSegment = (descriptor & 0x20) !== 0
  const flag = descriptor >> 6
  const dictionary = [0, 1, 2, 4][descriptor & 0x03]!
  const at = 5 + (isSingleSegment ? 0 : 1) + dictionary
  const width = flag === 0 ? (isSingleSegment ? 1 : 0) : 1 << flag
  if (width === 0 || at + width > frame.length) return undefined
  if (width === 1) return frame[at]!
  if (width === 2) return view.getUint16(at, true) + 256
  return width === 4 ? view.getUint32(at, true) : Number(view.getBigUint64(at, true))
}
