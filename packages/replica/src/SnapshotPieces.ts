/**
 * The bytes of a snapshot as pieces of `ReplicaConfig.chunk`, which journals keep and messages carry.
 *
 * ```
 *   machine ── a little at a time ──► piece of `chunk` bytes ── compressed by itself ──► journal ──► peers
 *   machine ◄─ a little at a time ─── piece                  ◄─ checked ──────────────── journal
 * ```
 *
 * Equal states give equal pieces.
 *
 * @since 0.1.0
 */
import { Journal, type JournalError, type Snapshot } from "@synod/journal"
import { Slot } from "@synod/paxos"
import type { Epoch } from "@synod/paxos"
import type { Machine } from "@synod/state-machine"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Scope from "effect/Scope"
import { crc32 } from "node:zlib"
import * as Compression from "./Compression.js"
import * as Pace from "./Pace.js"
import { ReplicaConfig } from "./ReplicaConfig.js"

/**
 * Writes all pieces of a state into the journal, and says what the snapshot is that they make up; `epoch` is that behind its slot.
 *
 * @since 0.1.0
 * @category saving
 */
export const save = (
  frozen: Machine.Frozen,
  epoch: Epoch.At
): Effect.Effect<Snapshot.Snapshot, JournalError.JournalError | Machine.MachineFailed, Journal.Journal> =>
  Effect.gen(function* () {
    const journal = yield* Journal.Journal
    const { chunk, compression } = yield* ReplicaConfig
    const pace = yield* Pace.make
    const compress = yield* Compression.compressor(compression)
    const slot = Slot.make(frozen.at.slot)
    let chunks = 0
    let bytes = 0
    let crc = 0
    const savePiece = (raw: Uint8Array) =>
      Effect.suspend(() => {
        const body = compress(raw)
        crc = crc32(body, crc)
        bytes += body.length
        return Effect.zipRight(journal.saveChunk(slot, chunks++, body), pace)
      })

    let parts: Array<Uint8Array> = []
    let size = 0
    for (;;) {
      const next = yield* frozen.next(Math.min(chunk, Pace.part))
      if (next === undefined) break
      parts.push(next)
      size += next.length
      yield* pace
      if (size < chunk) continue
      let whole: Uint8Array = Buffer.concat(parts)
      for (; whole.length >= chunk; whole = whole.subarray(chunk)) yield* savePiece(whole.subarray(0, chunk))
      parts = [whole]
      size = whole.length
    }
    if (size > 0 || chunks === 0) yield* savePiece(Buffer.concat(parts))
    return { slot, time: frozen.at.time, at: epoch, bytes, chunks, crc }
  })

/**
 * Why a machine can't be restored from a snapshot in the journal.
 *
 * @since 0.1.0
 * @category restoring
 */
export interface SnapshotUnusable {
  readonly _tag: "SnapshotUnusable"
  readonly message: string
}

/**
 * The state as it was when the snapshot was taken, for the machine to adopt.
 *
 * @since 0.1.0
 * @category restoring
 */
export const restore = (
  machine: Machine.Machine,
  { bytes, chunks, crc, slot, time }: Snapshot.Snapshot
): Effect.Effect<
  Machine.Prepared,
  SnapshotUnusable | JournalError.JournalError | Machine.MachineFailed,
  Journal.Journal | Scope.Scope
> =>
  Effect.gen(function* () {
    const journal = yield* Journal.Journal
    const pace = yield* Pace.make
    const decompress = yield* Compression.decompressor
    const unusable = (reason: string) =>
      Effect.fail<SnapshotUnusable>({
        _tag: "SnapshotUnusable",
        message: `the snapshot at slot ${slot} can't be used: ${reason}`
      })
    const restoration = yield* machine.restore
    let sum = 0
    let end = 0
    for (let index = 0; index < chunks; index++) {
      const body = yield* Effect.catchTag(journal.readChunk(slot, index), "SnapshotDamaged", ({ reason }) =>
        unusable(reason)
      )
      if (end + body.length > bytes) return yield* unusable("it is longer than it was")
      sum = crc32(body, sum)
      end += body.length
      const piece = decompress(body)
      if (Either.isLeft(piece)) return yield* unusable(`of piece ${index}, ${piece.left}`)
      for (let at = 0; at < piece.right.length; at += Pace.part) {
        const part = piece.right.subarray(at, at + Pace.part)
        yield* Effect.catchTag(restoration.write(part), "SnapshotError", ({ message }) => unusable(message))
        yield* pace
      }
    }
    if (end !== bytes || sum !== crc) return yield* unusable("its checksum differs")
    return yield* Effect.catchTag(restoration.end({ slot, time }), "SnapshotError", ({ message }) => unusable(message))
  })
