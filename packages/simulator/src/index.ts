/**
 * @since 0.1.0
 */

/** What may go wrong, how often, and how often it did. */
export * as Fault from "./Fault.js"

/** What clients saw. */
export * as History from "./History.js"

/** Whether one machine could have done it, one operation after the other. */
export * as Linearizability from "./Linearizability.js"

/** What a history is checked against. */
export * as Model from "./Model.js"

/** Models of the machines that are most often tested. */
export * as Models from "./Models.js"

/** Which links carry messages. */
export * as Partition from "./Partition.js"

/** Chance, from a seed. */
export * as Seeded from "./Seeded.js"

/** From a history that has no order to the few operations that show it. */
export * as Shrink from "./Shrink.js"

/** Pictures of a history. */
export * as Timeline from "./Timeline.js"

/** The hash of everything that happened. */
export * as TraceHash from "./TraceHash.js"

/** Stories of the protocol as text. */
export * as Transcript from "./Transcript.js"
