/**
 * What happened in a run: always hashed, written down only when somebody wants to read it.
 *
 * @since 0.1.0
 */
import * as TraceHash from "./TraceHash.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Trace {
  /** Something happened to `who`. `bytes` go into the hash; `tell` is only called when the trace is to be read. */
  readonly event: (who: string, kind: string, tell?: () => string, bytes?: Uint8Array) => void
  /** Lines for people: time, who, what. Empty unless the trace was made to be read. */
  readonly lines: ReadonlyArray<string>
  /** The hash of all events so far. */
  readonly digest: () => string
}

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: {
  /** Virtual time, in milliseconds since the world began. */
  readonly now: () => number
  readonly readable: boolean
}): Trace => {
  const hash = TraceHash.make()
  const lines: Array<string> = []
  return {
    event: (who, kind, tell, bytes) => {
      hash.number(options.now())
      hash.text(who)
      hash.text(kind)
      if (bytes !== undefined) hash.bytes(bytes)
      if (!options.readable) return
      const time = (options.now() / 1000).toFixed(4).padStart(9)
      const what = tell === undefined ? kind : `${kind} ${tell()}`
      lines.push(`${time} ${who.padEnd(4)} ${what}`)
    },
    lines,
    digest: hash.digest
  }
}
