/**
 * The rows of a file of registers: bytes under a key, with a checksum over both, and over when it was decided.
 *
 * ```
 *   kind 1 │ promised: round, node │ life │ flags │ accepted: round, node │ value ...
 * ```
 *
 * Numbers are big-endian 64-bit floats, which hold every round, life and millisecond exactly (up to 2^53). Flag 1: something was
 * accepted; flag 2: it is decided.
 *
 * @since 0.1.0
 */
import { NodeId } from "@synod/paxos"
import type { RegisterAcceptor } from "@synod/paxos"
import * as Either from "effect/Either"
import { crc32 } from "node:zlib"

/**
 * @since 0.1.0
 * @category models
 */
export interface Row {
  readonly key: string
  readonly body: Uint8Array
  /** When this acceptor learned that it is decided, in milliseconds since 1970; null if it has not. */
  readonly decided: number | null
  readonly crc: number
}

const kind = 1
const numbers = 5
const header = 2 + 8 * numbers
const isAccepted = 1
const isDecided = 2

const checksum = (key: string, decided: number | null, body: Uint8Array): number =>
  crc32(body, crc32(`${decided ?? ""}/${key}`))

/**
 * @since 0.1.0
 * @category encoding
 */
export const make = (
  key: string,
  { accepted, decided: known, life, promised }: RegisterAcceptor.State,
  now: number
): Row => {
  const value = accepted?.value ?? new Uint8Array()
  const body = Buffer.allocUnsafe(header + value.length)
  body[0] = kind
  body[1] = (accepted === null ? 0 : isAccepted) | (known ? isDecided : 0)
  const all = [promised.round, promised.node, life, accepted?.ballot.round ?? 0, accepted?.ballot.node ?? 0]
  all.forEach((number, i) => body.writeDoubleBE(number, 2 + 8 * i))
  body.set(value, header)
  const decided = known ? now : null
  return { key, body, decided, crc: checksum(key, decided, body) }
}

/**
 * What is in a row, or what is wrong with it.
 *
 * @since 0.1.0
 * @category decoding
 */
export const toState = ({ body, crc, decided, key }: Row): Either.Either<RegisterAcceptor.State, string> => {
  if (checksum(key, decided, body) !== crc) return Either.left("its checksum differs")
  if (body.length < header || body[0] !== kind) return Either.left("it is not a register")
  const view = new DataView(body.buffer, body.byteOffset, body.length)
  const number = (i: number) => view.getFloat64(2 + 8 * i)
  const ballot = (i: number) => ({
    round: number(i),
    node: number(i + 1) === 0 ? (0 as const) : NodeId.make(number(i + 1))
  })
  const flags = body[1]!
  return Either.right({
    promised: ballot(0),
    life: number(2),
    accepted: (flags & isAccepted) === 0 ? null : { ballot: ballot(3), value: new Uint8Array(body.subarray(header)) },
    decided: (flags & isDecided) !== 0
  })
}
