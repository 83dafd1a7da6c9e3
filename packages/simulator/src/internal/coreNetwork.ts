/**
 * Links between nodes, and between clients and nodes. A link keeps the order of its messages, but for those that a fault
 * strikes. Partitions cut nodes off from each other; clients reach every node.
 *
 * @internal
 */
import type { NodeId } from "@synod/paxos"
import type { Counts, Rates } from "../Fault.js"
import * as Partition from "../Partition.js"
import type { Seeded } from "../Seeded.js"
import type { Agenda } from "./agenda.js"
import { firstClient, type Address, type Envelope } from "./coreMessage.js"
import type { CoreTrace } from "./coreTrace.js"

/** A delayed message comes up to so much later, in milliseconds: longer than an election takes. */
const longestDelay = 4000

/** @internal */
export class CoreNetwork {
  partition: Partition.Partition = Partition.none
  private readonly links = new Map<number, Link>()

  constructor(
    private readonly world: {
      readonly now: () => number
      readonly agenda: Agenda<() => void>
      readonly seeded: Seeded
      readonly counts: Counts
      readonly trace: CoreTrace
      /** In milliseconds; a message takes once to twice that. */
      readonly latency: number
      readonly deliver: (from: Address, to: Address, envelope: Envelope) => void
    },
    private rates: Rates
  ) {}

  send(from: Address, to: Address, envelope: Envelope): void {
    const { counts, seeded, trace } = this.world
    const { duplication = 0, loss = 0 } = this.rates
    if (this.isCut(from, to)) return trace.message("loses", from, to, envelope)
    if (seeded.chance(loss)) {
      counts.fired("loss")
      return trace.message("loses", from, to, envelope)
    }
    trace.message("sends", from, to, envelope)
    this.carry(from, to, envelope)
    if (!seeded.chance(duplication)) return
    counts.fired("duplication")
    this.carry(from, to, envelope)
  }

  /** Holds back what is sent on this link from now on. */
  clog(from: NodeId.NodeId, to: NodeId.NodeId, milliseconds: number): void {
    this.link(from, to).cloggedUntil = this.world.now() + milliseconds
  }

  /** From now on nothing goes wrong, but for links that are cut; what is under way stays so. */
  calm(partition: Partition.Partition): void {
    this.rates = {}
    this.partition = partition
    for (const link of this.links.values()) link.cloggedUntil = 0
  }

  /** When the last message arrives that is under way between these and is held back; what is sent on its link waits behind it. */
  heldUntil(nodes: ReadonlyArray<NodeId.NodeId>): number {
    return Math.max(0, ...nodes.flatMap((from) => nodes.map((to) => this.link(from, to).last)))
  }

  private carry(from: Address, to: Address, envelope: Envelope): void {
    const { agenda, seeded, trace } = this.world
    agenda.add(this.arrival(this.link(from, to), this.world.latency * (1 + seeded.next())), () => {
      if (this.isCut(from, to)) return trace.message("loses", from, to, envelope)
      trace.message("gets", from, to, envelope)
      this.world.deliver(from, to, envelope)
    })
  }

  private arrival(link: Link, latency: number): number {
    const { counts, seeded } = this.world
    const { delay = 0, reordering = 0 } = this.rates
    const at = this.world.now() + latency
    if (seeded.chance(delay)) {
      counts.fired("delay")
      return at + longestDelay * seeded.next() ** 2
    }
    if (at < link.last && seeded.chance(reordering)) {
      counts.fired("reordering")
      return at
    }
    link.last = Math.max(at, link.last, link.cloggedUntil)
    return link.last
  }

  private isCut(from: Address, to: Address): boolean {
    return from < firstClient && to < firstClient && !this.partition(from as NodeId.NodeId, to as NodeId.NodeId)
  }

  private link(from: Address, to: Address): Link {
    const key = from * 65_536 + to
    let link = this.links.get(key)
    if (link === undefined) {
      link = { last: 0, cloggedUntil: 0 }
      this.links.set(key, link)
    }
    return link
  }
}

interface Link {
  /** When the last message that kept the order arrives. */
  last: number
  cloggedUntil: number
}
