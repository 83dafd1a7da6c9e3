/**
 * @since 0.1.0
 */

/** What operators ask of a cluster. */
export * as Admin from "./Admin.js"

/** Checks a config before it is used. */
export * as Bounds from "./Bounds.js"

/** A typed client's way to the replicas. */
export * as Client from "./Client.js"

/** A client's bounds. */
export * as ClientConfig from "./ClientConfig.js"

/** What clients ask of a replica. */
export * as ClientRpcs from "./ClientRpcs.js"

/** What a client and the replicas say to each other about commands. */
export * as Conversation from "./Conversation.js"

/** Carries one request to whichever replica leads. */
export * as Courier from "./Courier.js"

/** One replica as a client sees it. */
export * as Endpoint from "./Endpoint.js"

/** Packs calls that are made at the same time into one request. */
export * as Packer from "./Packer.js"

/** Replicas over TCP, as they come and go. */
export * as Servers from "./Servers.js"

/** Follows a machine, page by page. */
export * as Subscription from "./Subscription.js"

/** Effects that end in time, many by one timer. */
export * as Timeouts from "./Timeouts.js"
