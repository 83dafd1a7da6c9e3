/**
 * @since 0.1.0
 */

/** What every driver checks the same way. */
export * as Contract from "./Contract.js"

/** A new cluster from what is left of an old one. */
export * as Disaster from "./Disaster.js"

/** What tells one journal from every other one. */
export * as Identity from "./Identity.js"

/** Where an acceptor keeps what it must not forget. */
export * as Journal from "./Journal.js"

/** Why a journal does not open, or does not answer. */
export * as JournalError from "./JournalError.js"

/** Where a replica keeps its journal. */
export * as JournalStore from "./JournalStore.js"

/** A file in memory, with one owner at a time. */
export * as MemoryFile from "./MemoryFile.js"

/** Rows of bytes with checksums. */
export * as Row from "./Row.js"

/** What a journal keeps of a snapshot of the machine. */
export * as Snapshot from "./Snapshot.js"

/** The SQLite file below the driver: opened, identified, checked. */
export * as SqliteFile from "./SqliteFile.js"

/** The journal on SQLite. */
export * as SqliteJournal from "./SqliteJournal.js"

/** What the journals say that are left of a cluster. */
export * as Survivors from "./Survivors.js"
