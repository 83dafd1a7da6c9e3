/**
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"

/**
 * One sentence for the person who runs the replica; the whole cause goes to the debug log only.
 *
 * @since 0.1.0
 * @category helpers
 */
export const sentence = (cause: Cause.Cause<unknown>): string => {
  const error = Cause.squash(cause)
  return typeof error === "object" && error !== null && "message" in error ? String(error.message) : String(error)
}
