/**
 * What a journal on a simulated disk notes of snapshots, one record each: a piece, that a snapshot is whole, or which ones are
 * kept.
 */
import type { Snapshot } from "@synod/journal"
import { Slot } from "@synod/paxos"

/** @internal */
export type Note =
  | { readonly _tag: "Chunk"; readonly slot: Slot.Slot; readonly index: number; readonly body: Uint8Array }
  | { readonly _tag: "Whole"; readonly snapshot: Snapshot.Snapshot }
  | { readonly _tag: "Sweep"; readonly keep: ReadonlyArray<Slot.Slot> }

const header = 1 + 8 + 8

/** @internal */
export const encode = (note: Note): Uint8Array => {
  if (note._tag !== "Chunk") return Buffer.concat([Uint8Array.of(0), Buffer.from(JSON.stringify(note))])
  const bytes = new Uint8Array(header + note.body.length)
  const view = new DataView(bytes.buffer)
  view.setUint8(0, 1)
  view.setFloat64(1, note.slot)
  view.setFloat64(9, note.index)
  bytes.set(note.body, header)
  return bytes
}

/** @internal */
export const decode = (bytes: Uint8Array): Note => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  if (view.getUint8(0) === 0) return JSON.parse(Buffer.from(bytes.subarray(1)).toString()) as Note
  return {
    _tag: "Chunk",
    slot: Slot.make(view.getFloat64(1)),
    index: view.getFloat64(9),
    body: bytes.slice(header)
  }
}
