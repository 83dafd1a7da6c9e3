/**
 * @since 0.1.0
 */
export * as SqlMachine from "./SqlMachine.js"
export * as SqlStore from "./SqlStore.js"
export * as SqliteStore from "./SqliteStore.js"
