/**
 * How a session table is taken apart: `[opened, [[id, used, acknowledged, [answer | nil, …]], …], [[id, next], …]]`, sessions,
 * and those that are over, in the order they were opened.
 */
import { identity } from "effect/Function"
import * as HashMap from "effect/HashMap"
import * as RedBlackTree from "effect/RedBlackTree"
import * as Schema from "effect/Schema"
import * as Session from "../../Session.js"
import * as SessionTable from "../../SessionTable.js"
import type { Kind } from "./kinds.js"
import { type Codec, collection, type Collection, type Plan, through, tuple, whole } from "./plan.js"

const Sessions = Schema.Array(
  Schema.Tuple(
    Schema.NonNegativeInt,
    Schema.NonNegativeInt,
    Schema.NonNegativeInt,
    Schema.Array(Schema.NullOr(Schema.Uint8ArrayFromSelf)).pipe(Schema.maxItems(Session.WINDOW))
  )
)

const Over = Schema.Array(Schema.Tuple(Schema.NonNegativeInt, Schema.NonNegativeInt))

type Entry = readonly [id: number, session: Session.Session]

const sessions: Codec = {
  encode: (entries) =>
    (entries as ReadonlyArray<Entry>).map(([id, session]) => {
      const answers = Session.answers(session).map((answer) => answer ?? null)
      return [id, session.used, session.acknowledged, answers]
    }),
  decode: (encoded) =>
    Schema.decodeUnknownSync(Sessions)(encoded).map(([id, used, acknowledged, answers]): Entry => {
      const held = answers.map((answer) => answer ?? undefined)
      return [id, Session.make(used, acknowledged, held)]
    })
}

const over: Codec = { encode: (entries) => entries, decode: Schema.decodeUnknownSync(Over) }

/** A part of a table. It is decoded entry by entry into a table that is being built. */
const part = <Entry>(
  size: (table: SessionTable.Table) => number,
  list: (table: SessionTable.Table) => ReadonlyArray<Entry>,
  entries: Codec,
  add: (entry: Entry) => void
): Collection => {
  const kind: Kind<SessionTable.Table, Entry> = {
    is: (value): value is SessionTable.Table => value !== undefined,
    size,
    entries: list,
    builder: () => ({ add, end: () => SessionTable.empty }),
    marked: () => []
  }
  return collection(kind, whole(entries), entries)
}

/** For one table: what is decoded by the plan ends up in it. */
export const plan = (): Plan => {
  const table = SessionTable.builder()
  const step: Codec = {
    encode: (whole) => [(whole as SessionTable.Table).opened, whole, whole],
    decode: (decoded) => table.end((decoded as readonly [number])[0])
  }
  return through(
    step,
    tuple([
      whole({ encode: identity, decode: Schema.decodeUnknownSync(Schema.NonNegativeInt) }),
      part(({ sessions }) => HashMap.size(sessions), SessionTable.entries, sessions, table.open),
      part(({ over }) => RedBlackTree.size(over), SessionTable.over, over, table.over)
    ])
  )
}
