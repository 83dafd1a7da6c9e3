/**
 * `@effect/rpc` over connections, in framed, checksummed and bounded messages.
 *
 * @since 0.1.0
 */

/** Where a server listens. */
export * as Address from "./Address.js"

/** The client's end of the wire: one connection, kept. */
export * as ClientProtocol from "./ClientProtocol.js"
/** What a protocol needs of a connection. */
export * as Connection from "./Connection.js"
/** Requests that plain functions make and answer. */
export * as Direct from "./Direct.js"
/** Why a client has no connection. */
export * as Disconnected from "./Disconnected.js"
/** How messages lie in a stream of bytes. */
export * as Frame from "./Frame.js"
/** The messages of `@effect/rpc` as frames. */
export * as Message from "./Message.js"
/** How `@effect/rpc` is to be used over this wire. */
export * as RpcOptions from "./RpcOptions.js"
/** The server's end of the wire. */
export * as ServerProtocol from "./ServerProtocol.js"
/** The wire over TCP: layers for servers and clients. */
export * as Tcp from "./Tcp.js"
