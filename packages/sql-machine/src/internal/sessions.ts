/**
 * Sessions in tables: what `SessionTable` does with values, done with rows, in the transaction of the slot.
 *
 * ```
 *   synod_session   id: time of the last use, first sequence that may be asked for, one more than the highest answered
 *   synod_answer    (session, sequence): the first answer
 *   synod_over      id: of the last sessions that ended, the sequence from which on none was applied
 * ```
 */
import type { ExactlyOnce, SessionTable } from "@synod/state-machine"
import type { Connection, Prepared } from "../SqlStore.js"

interface Row {
  readonly id: number
  readonly used: number
  readonly acknowledged: number
  readonly next: number
}

export class Sessions implements ExactlyOnce.Sessions {
  readonly expiry: number
  private readonly most: number
  private readonly first: Prepared
  private readonly count: Prepared
  private readonly get: Prepared
  private readonly insert: Prepared
  private readonly next: Prepared
  private readonly isOver: Prepared
  private readonly forget: Prepared
  private readonly ends: ReadonlyArray<Prepared>
  readonly held: HeldStatements

  constructor(connection: Connection, bounds: SessionTable.Bounds) {
    this.expiry = bounds.expiry
    this.most = bounds.most
    const prepare = (sql: string) => connection.prepare(sql)
    this.first = prepare("SELECT id, used, acknowledged, next FROM synod_session ORDER BY used, id LIMIT 1")
    this.count = prepare("SELECT count(*) AS count FROM synod_session")
    this.get = prepare("SELECT id, used, acknowledged, next FROM synod_session WHERE id = ?")
    this.insert = prepare("INSERT INTO synod_session VALUES (?, ?, 0, 0)")
    this.next = prepare("UPDATE synod_applied SET opened = opened + 1 RETURNING opened")
    this.isOver = prepare("SELECT opened, (SELECT next FROM synod_over WHERE id = ?) AS next FROM synod_applied")
    this.ends = [
      prepare("INSERT INTO synod_over SELECT id, next FROM synod_session WHERE id = ?"),
      prepare("DELETE FROM synod_session WHERE id = ?"),
      prepare("DELETE FROM synod_answer WHERE session = ?")
    ]
    this.forget = prepare(
      "DELETE FROM synod_over WHERE id IN (SELECT id FROM synod_over ORDER BY id DESC LIMIT -1 OFFSET ?)"
    )
    this.held = {
      acknowledge: prepare("DELETE FROM synod_answer WHERE session = ? AND sequence < ?"),
      answer: prepare("SELECT answer FROM synod_answer WHERE session = ? AND sequence = ?"),
      record: prepare("INSERT INTO synod_answer VALUES (?, ?, ?)"),
      use: prepare("UPDATE synod_session SET used = ?, acknowledged = ?, next = ? WHERE id = ?")
    }
  }

  expire(time: number): void {
    this.endWhile(({ used }) => used + this.expiry < time)
  }

  open(time: number): number {
    const { opened } = this.next.get() as { readonly opened: number }
    this.insert.run(opened, time)
    const { count } = this.count.get() as { readonly count: number }
    let open = count
    this.endWhile(() => open-- > this.most)
    return opened
  }

  find(id: number): ExactlyOnce.Held | undefined {
    const row = this.get.get(id) as Row | undefined
    return row && new HeldSession(this.held, row)
  }

  unapplied(id: number): number {
    const { next, opened } = this.isOver.get(id) as { readonly opened: number; readonly next: number | null }
    return id > opened ? 0 : (next ?? Number.MAX_SAFE_INTEGER)
  }

  /** Ends the least recently used session, of equals the one opened first, as long as there is one that is to end. */
  private endWhile(isDue: (row: Row) => boolean): void {
    for (;;) {
      const row = this.first.get() as Row | undefined
      if (row === undefined || !isDue(row)) return
      for (const end of this.ends) end.run(row.id)
      this.forget.run(this.most)
    }
  }
}

interface HeldStatements {
  readonly acknowledge: Prepared
  readonly answer: Prepared
  readonly record: Prepared
  readonly use: Prepared
}

class HeldSession implements ExactlyOnce.Held {
  private readonly id: number
  private first: number
  private next: number

  constructor(
    private readonly statements: HeldStatements,
    { acknowledged, id, next }: Row
  ) {
    this.id = id
    this.first = acknowledged
    this.next = next
  }

  acknowledged(): number {
    return this.first
  }

  acknowledge(sequence: number): void {
    if (sequence <= this.first) return
    if (this.first < this.next) this.statements.acknowledge.run(this.id, sequence)
    this.first = sequence
    this.next = Math.max(this.next, sequence)
  }

  answer(sequence: number): Uint8Array | undefined {
    if (sequence < this.first || sequence >= this.next) return undefined
    const row = this.statements.answer.get(this.id, sequence) as { readonly answer: Uint8Array } | undefined
    return row?.answer
  }

  record(sequence: number, answer: Uint8Array): void {
    this.statements.record.run(this.id, sequence, answer)
    this.next = Math.max(this.next, sequence + 1)
  }

  use(time: number): void {
    this.statements.use.run(time, this.first, this.next, this.id)
  }
}
