/**
 * The state that consensus keeps alike.
 *
 * @since 0.1.0
 */
import type * as SessionTable from "./SessionTable.js"

/**
 * What every replica holds alike after the same slot: a value, never changed once it is made.
 *
 * @since 0.1.0
 * @category models
 */
export interface Replicated<State = any> {
  /** The state of the user's machine. */
  readonly state: State
  readonly sessions: SessionTable.Table
}
