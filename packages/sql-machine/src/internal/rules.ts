/**
 * What SQL may not do in a machine: act on the transaction that it is part of, touch the machine's own tables, or see what is not
 * the same on all replicas.
 */
import * as Words from "./words.js"

/** A statement that no machine may run, or a function. The same words on every replica. */
export class Refused extends Error {
  override readonly name = "Refused"
}

const statements = new Set(["SELECT", "VALUES", "WITH", "INSERT", "REPLACE", "UPDATE", "DELETE"])

/** What `SqlClient.withTransaction` says within a command, whose transaction is the slot's. */
const nested = /^(ROLLBACK TO )?SAVEPOINT effect_sql_\d+$/

export const isNested = (sql: string): boolean => nested.test(sql)

/** Why a handler may not run this statement, or nothing. */
export const ofStatement = (sql: string): string | undefined => {
  const words = Words.of(sql)
  const first = words[0]
  if (first === undefined || first.quoted || !statements.has(first.text)) {
    const what = first === undefined ? "it is no statement" : `it begins with ${first.text}`
    return `${what}, and handlers select, insert, update and delete`
  }
  return ofWords(words)
}

const inScripts = new Set(
  "ANALYZE ATTACH COMMIT DETACH PRAGMA REINDEX RELEASE SAVEPOINT TEMP TEMPORARY TRANSACTION VACUUM VIRTUAL".split(" ")
)

/** Why a migration may not run this script, or nothing. */
export const ofScript = (sql: string): string | undefined => {
  const words = Words.of(sql)
  let depth = 0
  for (const { quoted, text } of words) {
    if (quoted) continue
    if (inScripts.has(text)) return `${text} is not for the tables of a machine`
    if (text === "BEGIN" || text === "CASE") depth++
    if (text === "END" && --depth < 0) return "END would end the transaction that a migration is part of"
  }
  return ofWords(words)
}

const ofWords = (words: ReadonlyArray<Words.Word>): string | undefined => {
  for (const { quoted, text } of words) {
    if (!quoted && text === "ROLLBACK") return "ROLLBACK would undo what other commands have done: use ABORT"
    if (text.startsWith("SYNOD_")) return `${text.toLowerCase()} is the machine's own`
    if (text.startsWith("PRAGMA_") || text === "DBSTAT" || (text.startsWith("SQLITE_") && !schema.has(text))) {
      return `${text.toLowerCase()} may differ from replica to replica`
    }
  }
  return undefined
}

/** The tables of SQLite's own that tell of the user's tables. */
const schema = new Set(["SQLITE_MASTER", "SQLITE_SCHEMA", "SQLITE_SEQUENCE"])
