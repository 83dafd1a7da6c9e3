/**
 * A structural digest of values.
 *
 * @since 0.1.0
 */
import type { Replicated } from "./Executor.js"

/** @internal */
export const replicated = (replicated: Replicated): string => String(replicated.sessions.opened)
