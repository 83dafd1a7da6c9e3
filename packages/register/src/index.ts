/**
 * @since 0.1.0
 */

/** The acceptors of a member. */
export * as AcceptorActor from "./AcceptorActor.js"

/** Registers that were asked for lately. */
export * as Cache from "./Cache.js"

/** Which members keep registers together. */
export * as Cluster from "./Cluster.js"

/** All members in one process. */
export * as InProcess from "./InProcess.js"

/** Acceptors and a proposer on a store. */
export * as Member from "./Member.js"

/** A member as proposers see it. */
export * as Peer from "./Peer.js"

/** Whom a proposer believes to be there. */
export * as Reachable from "./Reachable.js"

/** Registers of a kind, with typed values. */
export * as Register from "./Register.js"

/** Bounds and times. */
export * as RegisterConfig from "./RegisterConfig.js"

/** What a request may end with. */
export * as RegisterError from "./RegisterError.js"

/** Rows of bytes with checksums. */
export * as RegisterRow from "./RegisterRow.js"

/** What is asked of acceptors. */
export * as RegisterRpcs from "./RegisterRpcs.js"

/** Where an acceptor keeps its registers. */
export * as RegisterStore from "./RegisterStore.js"

/** The registers of a cluster. */
export * as Registers from "./Registers.js"

/** One member a process, over TCP. */
export * as Socket from "./Socket.js"

/** Registers on SQLite. */
export * as SqliteRegisterStore from "./SqliteRegisterStore.js"
