/**
 * The registers that an acceptor was asked for lately, within so many bytes.
 *
 * @since 0.1.0
 */
import { RegisterAcceptor } from "@synod/paxos"

/**
 * @since 0.1.0
 * @category models
 */
export interface Cache {
  readonly has: (key: string) => boolean
  /** Marks it as used. */
  readonly get: (key: string) => RegisterAcceptor.State
  readonly set: (key: string, state: RegisterAcceptor.State) => void
  readonly delete: (key: string) => void
  readonly clear: () => void
  /** Lets go of what was not used for longest, until the rest fits. */
  readonly trim: () => void
}

/** What a register takes beside its key and value, in bytes, about. */
const overhead = 200

const sizeOf = (key: string, { accepted }: RegisterAcceptor.State): number =>
  overhead + 2 * key.length + (accepted?.value.length ?? 0)

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = (limit: number): Cache => {
  // In the order of their last use.
  const states = new Map<string, RegisterAcceptor.State>()
  let bytes = 0
  const remove = (key: string): void => {
    const state = states.get(key)
    if (state === undefined) return
    bytes -= sizeOf(key, state)
    states.delete(key)
  }
  const set = (key: string, state: RegisterAcceptor.State): void => {
    remove(key)
    states.set(key, state)
    bytes += sizeOf(key, state)
  }
  return {
    has: (key) => states.has(key),
    get: (key) => {
      const state = states.get(key) ?? RegisterAcceptor.initial
      set(key, state)
      return state
    },
    set,
    delete: remove,
    clear: () => {
      states.clear()
      bytes = 0
    },
    trim: () => {
      for (const key of states.keys()) {
        if (bytes <= limit) return
        remove(key)
      }
    }
  }
}
