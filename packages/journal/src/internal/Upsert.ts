/**
 * One statement that writes any number of rows.
 *
 * @since 0.1.0
 */
import type * as Row from "../Row.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Statement {
  readonly sql: string
  readonly params: ReadonlyArray<unknown>
}

/** Above this many rows the statement's text no longer depends on their number. */
const tuplesAtMost = 64

/**
 * The statement for these rows, of which there is at least one; each takes the place of the row under its slot.
 *
 * Few rows become a VALUES list, which is the fastest and copies nothing. It is filled up to the next power of two with
 * the last row, so that seven prepared statements serve every write. Many rows become one run of bytes and a list of where
 * each row begins in it: any number within one statement, at half of the speed.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (rows: ReadonlyArray<Row.Row>): Statement =>
  rows.length <= tuplesAtMost ? ofTuples(rows) : ofBytes(rows)

const prefix = "INSERT OR REPLACE INTO record (slot, body, crc) "

/** The text for 2^n rows at n. */
const texts = Array.from(
  { length: Math.log2(tuplesAtMost) + 1 },
  (_, n) => `${prefix}VALUES ${Array.from({ length: 2 ** n }, () => "(?,?,?)").join(",")}`
)

const ofTuples = (rows: ReadonlyArray<Row.Row>): Statement => {
  const n = Math.ceil(Math.log2(rows.length))
  const params: Array<unknown> = []
  for (let i = 0; i < 2 ** n; i++) {
    const row = rows[Math.min(i, rows.length - 1)]!
    params.push(row.slot, row.body, row.crc)
  }
  return { sql: texts[n]!, params }
}

const text = `${prefix}SELECT value->>0, substr(?, value->>1, value->>2), value->>3 FROM json_each(?)`

const ofBytes = (rows: ReadonlyArray<Row.Row>): Statement => {
  const places: Array<[slot: number, start: number, length: number, crc: number]> = []
  // SQL counts bytes from 1.
  let start = 1
  for (const { body, crc, slot } of rows) {
    places.push([slot, start, body.length, crc])
    start += body.length
  }
  return { sql: text, params: [Buffer.concat(rows.map(({ body }) => body)), JSON.stringify(places)] }
}
