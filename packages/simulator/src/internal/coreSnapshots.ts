/**
 * The snapshots of a node of the core tier: taken of its machine now and then, the reason why its log may be short, and got
 * from other nodes when the log of everybody is too short for this one. They are whole or not there at all: pieces, and
 * what may go wrong with them, are met in the world tier.
 *
 * ```
 *   machine ── every so many slots ──► disk ──► Trim ──► acceptor
 *   acceptor ── Pull ──► fetchSnapshot ──► source ── snapshot ──► disk ──► Install ──► acceptor ── Restore ──► machine
 * ```
 *
 * @internal
 */
import { Acceptor, Epoch, Slot } from "@synod/paxos"
import type { Ballot, NodeId } from "@synod/paxos"
import type * as Machine from "./coreMachine.js"
import type { Envelope } from "./coreMessage.js"
import type { Self } from "./coreSelf.js"
import type { World } from "./coreWorld.js"

/** What a node lends its snapshots. @internal */
export interface Host extends Self {
  readonly acceptor: () => Acceptor.State
  readonly applied: () => number
  /** Something for its acceptor. */
  readonly input: (input: Acceptor.Local) => void
}

/** A snapshot takes at most so many times as long as a write to the log. */
const slower = 20

/** @internal */
export class CoreSnapshots {
  private saving = false
  private rebuilding = false
  /** Counts the requests to others; the last one is waited for while this is not 0. */
  private pulling = 0
  private pulls = 0
  private asked: NodeId.NodeId | undefined
  /** Whom to ask next: the others that were named meanwhile. */
  private readonly named = new Set<NodeId.NodeId>()
  private last = 0

  constructor(
    private readonly host: Host,
    private readonly world: World
  ) {}

  /** A life begins, from this slot on. */
  begin(slot: number): void {
    this.saving = false
    this.rebuilding = false
    this.pulling = 0
    this.named.clear()
    this.last = slot
  }

  /** The machine has applied this slot. */
  applied(slot: number, freeze: () => Machine.Frozen): void {
    const { every } = this.world.setting.snapshots
    if (this.saving || every === 0 || slot - this.last < every) return
    this.saving = true
    this.last = slot
    const { epochs, promised } = this.host.acceptor()
    const snapshot = { slot: Slot.make(slot), machine: freeze(), at: Epoch.at(epochs, promised, Slot.make(slot)).at }
    this.save(snapshot, () => {
      this.saving = false
    })
  }

  /**
   * Hands one to a node that has promised as much as this one: what is in it was chosen at no ballot above that promise. A node in
   * an earlier epoch goes on from it in that of the snapshot.
   */
  serve(from: NodeId.NodeId, epoch: number, ballot: Ballot.Ballot): void {
    const [newest] = this.host.disk.snapshots
    const acceptor = this.host.acceptor()
    const own = acceptor.epochs.present.number
    const refused =
      newest === undefined ||
      !Epoch.isKnown(newest.at) ||
      epoch > own ||
      (epoch === own && !Acceptor.lends(acceptor, ballot))
    this.send(from, refused ? { kind: "noSnapshot" } : { kind: "snapshot", snapshot: newest })
  }

  /** Asks a node for its newest one; while the answer of another one is waited for, when nothing came of that. */
  pull(source: NodeId.NodeId): void {
    if (this.pulling !== 0) {
      if (source !== this.asked) this.named.add(source)
      return
    }
    this.asked = source
    const pull = ++this.pulls
    this.pulling = pull
    const { epochs, promised } = this.host.acceptor()
    this.send(source, { kind: "fetchSnapshot", epoch: epochs.present.number, ballot: promised })
    this.host.life.later(this.world.setting.silence, () => {
      if (this.pulling === pull) this.goOn()
    })
  }

  /** Nothing came of it. */
  private goOn(): void {
    const [next] = this.named
    this.pulling = 0
    if (next === undefined) return
    this.named.delete(next)
    this.pull(next)
  }

  /** An answer, perhaps late or repeated: the promise of this node has not fallen since it asked. */
  got(snapshot: Machine.Snapshot | undefined): void {
    if (snapshot === undefined || !this.isOfUse(snapshot.slot)) {
      if (this.pulling !== 0) this.goOn()
      return
    }
    this.save(snapshot, () => {
      this.pulling = 0
      this.named.clear()
      const { at, slot } = snapshot
      if (this.isOfUse(slot)) this.host.input({ _tag: "Install", slot, at })
    })
  }

  /** The log begins behind what the machine holds: goes on from a snapshot here, or from whoever has one. */
  rebuild(): void {
    if (this.rebuilding) return
    this.rebuilding = true
    this.look(0)
  }

  private look(turn: number): void {
    const { acceptor, applied, disk, input, life, place } = this.host
    life.later(this.world.setting.heartbeat, () => {
      if (applied() >= acceptor().trimmedThrough) {
        this.rebuilding = false
        return
      }
      const [own] = disk.snapshots
      const { sources } = place()
      if (own !== undefined && this.isOfUse(own.slot)) input({ _tag: "Install", slot: own.slot, at: own.at })
      else if (sources.length > 0) this.pull(sources[turn % sources.length]!)
      this.look(turn + 1)
    })
  }

  private isOfUse(slot: number): boolean {
    const { chosenThrough, trimmedThrough } = this.host.acceptor()
    return slot > chosenThrough || (slot >= trimmedThrough && this.host.applied() < trimmedThrough)
  }

  private save(snapshot: Machine.Snapshot, then: () => void): void {
    const { judge, seeded, setting } = this.world
    this.host.life.later(setting.sync * slower * seeded.next(), () => {
      if (this.host.disk.keep(snapshot)) {
        judge.happened("a snapshot is taken")
        this.trim(snapshot.slot)
      }
      then()
    })
  }

  /** The log behind the older of two snapshots is dispensable. */
  private trim(newest: number): void {
    const previous = this.host.disk.snapshots[1]
    if (previous === undefined) return
    const { chosenThrough } = this.host.acceptor()
    const through = Math.min(previous.slot, newest - this.world.setting.snapshots.margin, chosenThrough)
    if (through > 0) this.host.input({ _tag: "Trim", through: Slot.make(through) })
  }

  private send(to: NodeId.NodeId, envelope: Envelope): void {
    this.world.network.send(this.host.id, to, envelope)
  }
}
