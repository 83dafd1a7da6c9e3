/**
 * What a file is to those who keep theirs in memory: it outlives whoever has it open, one at a time has, and who has closed it is
 * answered no more.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as JournalError from "./JournalError.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface MemoryFile {
  /** @internal */
  locked: boolean
}

/**
 * As errors name it.
 *
 * @since 0.1.0
 * @category constants
 */
export const filename = "(in memory)"

/**
 * Does something with the file, as long as it is open.
 *
 * @since 0.1.0
 * @category models
 */
export type WhenOpen = <A, E = never>(
  operation: JournalError.JournalFailed["operation"],
  use: () => Effect.Effect<A, E>
) => Effect.Effect<A, E | JournalError.JournalFailed>

/**
 * Opens it, for as long as the scope lives.
 *
 * @since 0.1.0
 * @category constructors
 */
export const open = (file: MemoryFile): Effect.Effect<WhenOpen, JournalError.JournalLocked, Scope.Scope> =>
  Effect.suspend(() => {
    let isOpen = true
    const whenOpen: WhenOpen = <A, E>(
      operation: JournalError.JournalFailed["operation"],
      use: () => Effect.Effect<A, E>
    ): Effect.Effect<A, E | JournalError.JournalFailed> =>
      Effect.suspend((): Effect.Effect<A, E | JournalError.JournalFailed> =>
        isOpen ? use() : new JournalError.JournalFailed({ filename, operation, reason: "it is closed" })
      )
    const lock = Effect.suspend(() => {
      if (file.locked) return new JournalError.JournalLocked({ filename })
      file.locked = true
      return Effect.succeed(whenOpen)
    })
    return Effect.acquireRelease(lock, () =>
      Effect.sync(() => {
        isOpen = false
        file.locked = false
      })
    )
  })
