/**
 * SQLite's functions of time and chance, with the time and the chance that are agreed for a command; and those that tell of the
 * connection, which can't be the same on all replicas.
 */
import * as DateTime from "effect/DateTime"
import type { Connection } from "../SqlStore.js"
import { Refused } from "./rules.js"

export interface Agreed {
  /** Milliseconds since 1970. */
  readonly time: () => number
  /** 32 bits. */
  readonly chance: () => number
}

/** How many arguments come before the point in time. */
const ofTime: ReadonlyArray<readonly [name: string, before: number]> = [
  ["date", 0],
  ["time", 0],
  ["datetime", 0],
  ["julianday", 0],
  ["unixepoch", 0],
  ["strftime", 1]
]

/** Replaces the functions on a connection; `plain` has SQLite's own. */
export const install = (connection: Connection, plain: Connection, agreed: Agreed): void => {
  const now = (): string => DateTime.formatIso(DateTime.unsafeMake(agreed.time())).replace("T", " ").slice(0, -1)
  const ask = asking(plain)
  for (const [name, before] of ofTime) {
    connection.function(name, { varargs: true, deterministic: true }, (...args) => {
      if (args.length < before) throw new Refused(`${name} wants ${before} argument`)
      const [point = "now", ...modifiers] = args.slice(before)
      return ask(name, [...args.slice(0, before), settled(point, now), ...modifiers.map(withoutZone)])
    })
  }
  connection.function("timediff", { deterministic: true }, (a, b) =>
    ask("timediff", [settled(a, now), settled(b, now)])
  )
  connection.function("current_date", {}, () => ask("date", [now()]))
  connection.function("current_time", {}, () => ask("time", [now()]))
  connection.function("current_timestamp", {}, () => ask("datetime", [now()]))
  connection.function("random", {}, () => (BigInt(agreed.chance() | 0) << 32n) | BigInt(agreed.chance()))
  connection.function("randomblob", {}, (length: number) => {
    const bytes = new Uint8Array(Math.max(1, Math.min(length, longestBlob)))
    for (let i = 0; i < bytes.length; i++) bytes[i] = agreed.chance()
    return bytes
  })
  for (const [name, instead] of ofConnections) {
    connection.function(name, { varargs: true }, () => {
      throw new Refused(`${name} may differ from replica to replica: ${instead}`)
    })
  }
}

/** Bytes, as many as a megabyte. */
const longestBlob = 1024 * 1024

const ofConnections: ReadonlyArray<readonly [name: string, instead: string]> = [
  ["changes", "use RETURNING"],
  ["total_changes", "use RETURNING"],
  ["last_insert_rowid", "use RETURNING"],
  ["load_extension", "there are no extensions here"]
]

const settled = (point: unknown, now: () => string): unknown =>
  typeof point === "string" && point.trim().toLowerCase() === "now" ? now() : withoutZone(point)

const withoutZone = (modifier: unknown): unknown => {
  if (typeof modifier === "string" && /^\s*(localtime|utc)\s*$/i.test(modifier)) {
    throw new Refused("replicas may stand in several time zones: local time is for clients")
  }
  return modifier
}

/** Calls functions of SQLite. Their names are ours, and the statements few: one for each number of arguments. */
const asking = (plain: Connection) => {
  const statements = new Map<string, ReturnType<Connection["prepare"]>>()
  return (name: string, args: ReadonlyArray<unknown>): unknown => {
    const sql = `SELECT ${name}(${args.map(() => "?").join()})`
    const statement = statements.get(sql) ?? plain.prepare(sql).raw()
    statements.set(sql, statement)
    return statement.get(...args)[0]
  }
}
