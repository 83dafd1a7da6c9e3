/**
 * @since 0.1.0
 */

/** What may go wrong, how often, and how often it did. */
export * as Fault from "./Fault.js"

/** Which links carry messages. */
export * as Partition from "./Partition.js"

/** Chance, from a seed. */
export * as Seeded from "./Seeded.js"

/** The hash of everything that happened. */
export * as TraceHash from "./TraceHash.js"

/** Stories of the protocol as text. */
export * as Transcript from "./Transcript.js"
