import type { Connection } from "../Connection.js"

/**
 * The frames that wait to leave on one connection. All that are put in during one turn of the event loop leave in one
 * write: a system call costs more than making a small message does.
 *
 * @internal
 */
export interface Outbox {
  /** Bytes that wait here, apart from those the connection already took. */
  readonly bytes: () => number
  readonly push: (frame: Uint8Array) => void
  /** Forgets what waits here. */
  readonly clear: () => void
  /** Writes what waits here without waiting for the end of the turn. */
  readonly flush: () => void
  /** The connection takes bytes again. */
  readonly onDrain: () => void
}

/** @internal */
export const make = (connection: Connection): Outbox => {
  let frames: Array<Uint8Array> = []
  let bytes = 0
  let scheduled = false
  let blocked = false

  const flush = (): void => {
    scheduled = false
    if (blocked || frames.length === 0) return
    const out = frames.length === 1 ? frames[0]! : Buffer.concat(frames, bytes)
    frames = []
    bytes = 0
    blocked = !connection.write(out)
  }
  // Ticks run once no microtask is left, so this comes after every fiber that this turn made runnable.
  const tick = (): void => process.nextTick(flush)

  return {
    bytes: () => bytes,
    push: (frame) => {
      frames.push(frame)
      bytes += frame.length
      if (scheduled || blocked) return
      scheduled = true
      queueMicrotask(tick)
    },
    clear: () => {
      frames = []
      bytes = 0
    },
    flush,
    onDrain: () => {
      blocked = false
      flush()
    }
  }
}
