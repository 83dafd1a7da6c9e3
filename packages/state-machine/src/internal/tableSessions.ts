/**
 * The sessions of a machine whose state is a value: a table beside it, which changes by becoming another one.
 */
import type { Held, Sessions } from "../ExactlyOnce.js"
import * as Session from "../Session.js"
import * as SessionTable from "../SessionTable.js"

export class TableSessions implements Sessions {
  constructor(
    public table: SessionTable.Table,
    private readonly bounds: SessionTable.Bounds
  ) {}

  get expiry(): number {
    return this.bounds.expiry
  }

  expire(time: number): void {
    this.table = SessionTable.expire(this.table, this.bounds, time)
  }

  open(time: number): number {
    this.table = SessionTable.open(this.table, this.bounds, time)
    return this.table.opened
  }

  find(id: number): Held | undefined {
    const session = SessionTable.get(this.table, id)
    return session && new HeldSession(this, id, session)
  }

  unapplied(id: number): number {
    return SessionTable.unapplied(this.table, id)
  }
}

class HeldSession implements Held {
  constructor(
    private readonly sessions: TableSessions,
    private readonly id: number,
    private session: Session.Session
  ) {}

  acknowledged(): number {
    return this.session.acknowledged
  }

  acknowledge(sequence: number): void {
    this.session = Session.acknowledge(this.session, sequence)
  }

  answer(sequence: number): Uint8Array | undefined {
    return Session.answer(this.session, sequence)
  }

  record(sequence: number, answer: Uint8Array): void {
    this.session = Session.record(this.session, sequence, answer)
  }

  use(time: number): void {
    this.sessions.table = SessionTable.use(this.sessions.table, this.id, this.session, time)
  }
}
