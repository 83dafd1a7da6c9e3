/**
 * @since 0.1.0
 */
export * as Ballot from "./Ballot.js"
export * as Durable from "./Durable.js"
export * as Entry from "./Entry.js"
export * as Log from "./Log.js"
export * as NodeId from "./NodeId.js"
export * as Slot from "./Slot.js"
