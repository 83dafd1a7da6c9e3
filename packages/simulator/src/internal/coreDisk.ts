/**
 * A node's journal on a simulated disk: a write takes time until it is synced. A crash before that may leave it, or the
 * first part of it, or nothing. What is synced stays, the two newest snapshots among it.
 *
 * @internal
 */
import { Durable } from "@synod/paxos"
import type { Entry } from "@synod/paxos"
import type * as Machine from "./coreMachine.js"
import type { Counts, Rates } from "../Fault.js"
import type { Seeded } from "../Seeded.js"

/** A slow disk takes so many times as long. */
const slowness = 100

/** @internal */
export class CoreDisk {
  /** What is synced. */
  durable: Durable.Durable
  readonly entries: Array<Entry.Entry> = []
  /** The newest first. */
  snapshots: ReadonlyArray<Machine.Snapshot> = []
  /** Writes that are not synced yet, in their order; each is kept whole or not at all. */
  private underWay: ReadonlyArray<Merged> = []
  private fullUntil = 0
  private slowUntil = 0

  constructor(
    readonly name: string,
    private readonly world: {
      readonly now: () => number
      readonly seeded: Seeded
      readonly counts: Counts
      /** In milliseconds; a write takes once to four times that. */
      readonly sync: number
      /** A write is synced, which these steps asked for: the journal is what it says now. */
      readonly synced: (asked: ReadonlyArray<Durable.Write>) => void
    },
    private rates: Rates,
    founded: Durable.Durable
  ) {
    this.durable = founded
  }

  /** When the write under way ends. */
  busyUntil = 0

  /** How long it takes to write what steps asked for, in milliseconds; or why it can't be written. */
  begin(asked: ReadonlyArray<Durable.Write>): number | "is full" | "fails to sync" {
    const { counts, now, seeded, sync } = this.world
    if (now() < this.fullUntil) return "is full"
    if (seeded.chance(this.rates.syncError ?? 0)) {
      counts.fired("syncError")
      return "fails to sync"
    }
    this.underWay = mergedOf(asked)
    const quick = sync * (1 + 3 * seeded.next())
    const time = now() < this.slowUntil ? quick * slowness : quick
    this.busyUntil = now() + time
    return time
  }

  /** What was begun is synced. */
  end(): void {
    const writes = this.underWay
    this.underWay = []
    for (const write of writes) this.apply(write)
  }

  /** Entries behind a slot, unless the log begins later. */
  read(after: number, count: number): ReadonlyArray<Entry.Entry> | undefined {
    return after < this.durable.trimmedThrough ? undefined : this.entries.slice(after, after + count)
  }

  /** Is there room for it? */
  keep(snapshot: Machine.Snapshot): boolean {
    if (this.world.now() < this.fullUntil) return false
    const others = this.snapshots.filter(({ slot }) => slot !== snapshot.slot)
    this.snapshots = [snapshot, ...others].sort((a, b) => b.slot - a.slot).slice(0, 2)
    return true
  }

  /** The process is gone. What the operating system had not synced may reach the disk or not. */
  crash(): void {
    const { counts, seeded } = this.world
    const writes = this.underWay
    if (writes.length === 0) return
    const lost = seeded.chance(this.rates.lostWrites ?? 0)
    if (lost) counts.fired("lostWrites")
    this.underWay = lost ? writes.slice(0, seeded.below(writes.length)) : writes
    this.end()
  }

  fill(milliseconds: number): void {
    this.fullUntil = this.world.now() + milliseconds
  }

  slow(milliseconds: number): void {
    this.slowUntil = this.world.now() + milliseconds
  }

  /** From now on nothing goes wrong. */
  calm(): void {
    this.rates = {}
    this.fullUntil = 0
    this.slowUntil = 0
  }

  private apply({ asked, write }: Merged): void {
    this.entries.length = write.after
    // What is trimmed can't be read by mistake.
    for (let i = this.durable.trimmedThrough; i < write.state.trimmedThrough; i++) delete this.entries[i]
    for (const entry of write.entries) this.entries.push(entry)
    this.durable = write.state
    this.world.synced(asked)
  }
}

/** One write to the journal, and what steps asked for that became it. */
interface Merged {
  readonly write: Durable.Write
  readonly asked: ReadonlyArray<Durable.Write>
}

const mergedOf = (asked: ReadonlyArray<Durable.Write>): ReadonlyArray<Merged> => {
  const writes = Durable.merge(asked)
  if (writes.length === 1) return [{ write: writes[0]!, asked }]
  let start = 0
  return writes.map((write) => {
    const end = asked.findIndex(({ state }) => state === write.state) + 1
    const merged = { write, asked: asked.slice(start, end) }
    start = end
    return merged
  })
}
