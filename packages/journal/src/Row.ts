/**
 * The rows of a journal file: bytes under a slot, with a checksum over both.
 *
 * ```
 *   slot 0   the acceptor's state   kind 1    │ promised: round, node │ acceptedBallot: round, node │ accepted-, chosen-, trimmedThrough │ epochs
 *   slot n   commands               kind 1    │ time                  │ batch ...
 *   slot n   a stop sign            kind 2    │ time                  │ epoch, membership
 * ```
 *
 * Numbers are big-endian 64-bit floats, which hold every slot, round and millisecond exactly (up to 2^53). Epochs and memberships
 * are JSON.
 *
 * @since 0.1.0
 */
import type { Durable } from "@synod/paxos/Durable"
import * as Entry from "@synod/paxos/Entry"
import * as Epoch from "@synod/paxos/Epoch"
import * as NodeId from "@synod/paxos/NodeId"
import * as Slot from "@synod/paxos/Slot"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { crc32 } from "node:zlib"

/**
 * @since 0.1.0
 * @category models
 */
export interface Row {
  /** 0 for the acceptor's state. */
  readonly slot: number
  readonly body: Uint8Array
  /** CRC-32 over the slot, as a 64-bit float, and the body: a row that ended up under another slot does not pass. */
  readonly crc: number
}

const slotBytes = 8
const stateKind = 1
const stateBytes = 1 + 7 * 8
const commandsKind = 1
const stopSignKind = 2
const entryHeader = 1 + 8

/** Slot and body lie in one buffer, so that one pass makes the checksum. */
const allocate = (slot: number, bodyBytes: number): { all: Buffer; body: Buffer } => {
  const all = Buffer.allocUnsafe(slotBytes + bodyBytes)
  all.writeDoubleBE(slot, 0)
  return { all, body: all.subarray(slotBytes) }
}

const checksum = (slot: number, body: Uint8Array): number => {
  const prefix = Buffer.allocUnsafe(slotBytes)
  prefix.writeDoubleBE(slot, 0)
  return crc32(body, crc32(prefix))
}

/**
 * @since 0.1.0
 * @category encoding
 */
export const fromState = (state: Durable): Row => {
  const epochs = bytesOf(state.epochs)
  const { all, body } = allocate(0, stateBytes + epochs.length)
  body[0] = stateKind
  const { acceptedBallot, acceptedThrough, chosenThrough, promised, trimmedThrough } = state
  const numbers = [
    promised.round,
    promised.node,
    acceptedBallot.round,
    acceptedBallot.node,
    acceptedThrough,
    chosenThrough,
    trimmedThrough
  ]
  numbers.forEach((number, i) => body.writeDoubleBE(number, 1 + 8 * i))
  body.set(epochs, stateBytes)
  return { slot: 0, body, crc: crc32(all) }
}

/**
 * @since 0.1.0
 * @category encoding
 */
export const fromEntry = (slot: number, entry: Entry.Entry): Row => {
  const content = entry._tag === "Commands" ? entry.batch : Buffer.from(encodeSign(entry))
  const { all, body } = allocate(slot, entryHeader + content.length)
  body[0] = entry._tag === "Commands" ? commandsKind : stopSignKind
  body.writeDoubleBE(entry.time, 1)
  body.set(content, entryHeader)
  return { slot, body, crc: crc32(all) }
}

/**
 * The state in row 0, or what is wrong with the row.
 *
 * @since 0.1.0
 * @category decoding
 */
export const toState = ({ body, crc, slot }: Row): Either.Either<Durable, string> => {
  if (checksum(slot, body) !== crc) return Either.left("its checksum differs")
  if (body.length < stateBytes || body[0] !== stateKind) return Either.left("it is not a state record")
  const epochs = decodeEpochs(textOf(body, stateBytes))
  if (Either.isLeft(epochs)) return Either.left("its epochs can't be read")
  const view = new DataView(body.buffer, body.byteOffset, body.length)
  const number = (i: number) => view.getFloat64(1 + 8 * i)
  return Either.right({
    epochs: epochs.right,
    promised: { round: number(0), node: nodeOf(number(1)) },
    acceptedBallot: { round: number(2), node: nodeOf(number(3)) },
    acceptedThrough: Slot.make(number(4)),
    chosenThrough: Slot.make(number(5)),
    trimmedThrough: Slot.make(number(6))
  })
}

const encodeEpochs = Schema.encodeSync(Schema.parseJson(Epoch.Epochs))
const decodeEpochs = Schema.decodeEither(Schema.parseJson(Epoch.Epochs))
const encodeSign = Schema.encodeSync(Schema.parseJson(Entry.StopSign))
const decodeSign = Schema.decodeEither(Schema.parseJson(Entry.StopSign))

const textOf = (body: Uint8Array, from: number): string =>
  Buffer.from(body.buffer, body.byteOffset + from, body.length - from).toString()

/** Each write has them, and they hardly ever change. */
const bytesOf = (epochs: Epoch.Epochs): Buffer => {
  const known = encoded.get(epochs)
  if (known !== undefined) return known
  const bytes = Buffer.from(encodeEpochs(epochs))
  encoded.set(epochs, bytes)
  return bytes
}

const encoded = new WeakMap<Epoch.Epochs, Buffer>()

const nodeOf = (id: number) => (id === 0 ? 0 : NodeId.make(id))

/**
 * The entry in a row, or what is wrong with the row. The batch is a view of the row's bytes.
 *
 * @since 0.1.0
 * @category decoding
 */
export const toEntry = ({ body, crc, slot }: Row): Either.Either<Entry.Entry, string> => {
  if (checksum(slot, body) !== crc) return Either.left("its checksum differs")
  const kind = body.length < entryHeader ? undefined : body[0]
  if (kind === stopSignKind) {
    return Either.mapLeft(decodeSign(textOf(body, entryHeader)), () => "its stop sign can't be read")
  }
  if (kind !== commandsKind) return Either.left("it is not an entry of a known kind")
  const view = new DataView(body.buffer, body.byteOffset, body.length)
  const batch = new Uint8Array(body.buffer, body.byteOffset + entryHeader, body.length - entryHeader)
  return Either.right(Entry.commands(view.getFloat64(1), batch))
}

/**
 * What to add to the length of an entry's body to get the entry's size, as `Entry.sizeOf` counts it.
 *
 * @since 0.1.0
 * @category decoding
 */
export const entryOverhead = Entry.sizeOf(Entry.commands(0, new Uint8Array())) - entryHeader
