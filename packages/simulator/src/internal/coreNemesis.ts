/**
 * What strikes a cluster of the core tier from outside, by rates a second: partitions, clogged links, pauses, outages, full
 * and slow disks, journals that are gone.
 *
 * @internal
 */
import { Membership } from "@synod/paxos"
import type { NodeId } from "@synod/paxos"
import type { Atlas } from "../Atlas.js"
import type { Counts, Fault, Rates } from "../Fault.js"
import * as Partition from "../Partition.js"
import * as QuorumSpecs from "../QuorumSpecs.js"
import type { Seeded } from "../Seeded.js"
import type { Agenda } from "./agenda.js"
import { nameOf } from "./coreMessage.js"
import type { CoreNetwork } from "./coreNetwork.js"
import type { CoreNode } from "./coreNode.js"
import { lasts } from "./coreSetting.js"
import type { CoreTrace } from "./coreTrace.js"

/** Whoever asks for other members asks again after so many milliseconds. */
const again = 50

/** @internal */
export interface NemesisWorld {
  readonly now: () => number
  readonly agenda: Agenda<() => void>
  readonly seeded: Seeded
  readonly counts: Counts
  readonly trace: CoreTrace
  readonly network: CoreNetwork
  readonly atlas: Atlas
  readonly nodes: ReadonlyArray<CoreNode>
  /** The node that became leader last. */
  readonly leader: () => NodeId.NodeId | undefined
}

/** @internal */
export class CoreNemesis {
  private over = false
  /** The members that are asked for, as long as somebody asks. */
  private wanted: Membership.Membership | undefined
  /** Counts partitions: the end of an earlier one has nothing to say. */
  private partitions = 0

  constructor(
    private readonly world: NemesisWorld,
    rates: Rates
  ) {
    for (const fault of strikes) {
      const rate = rates[fault] ?? 0
      if (rate > 0) this.next(fault, rate)
    }
  }

  /** Strikes no more. */
  end(): void {
    this.over = true
  }

  /** Strikes come independently of each other, `rate` a second on average. */
  private next(fault: Strike, rate: number): void {
    const { agenda, now, seeded } = this.world
    const pause = (-Math.log(1 - seeded.next()) / rate) * 1000
    agenda.add(now() + pause, () => {
      if (this.over) return
      this.strike(fault)
      this.next(fault, rate)
    })
  }

  private strike(fault: Strike): void {
    const { counts, nodes, seeded } = this.world
    const node = seeded.pick(nodes)
    switch (fault) {
      case "clog":
        return this.clog()
      case "outage":
        counts.fired(fault)
        return nodes.forEach((each) => each.life.stop("crashes with all others"))
      case "handOver":
        if (!nodes.some((each) => each.handOver())) return
        return counts.fired(fault)
      case "reconfigure":
        return this.reconfigure()
      case "pause":
        if (!node.life.isUp) return
        return this.note(fault, node, (time) => node.life.pause(time), lasts.pause)
      case "diskFull":
        return this.note(fault, node, (time) => node.disk.fill(time), lasts.full)
      case "slowDisk":
        return this.note(fault, node, (time) => node.disk.slow(time), lasts.slow)
      case "wipe":
        if (!this.world.atlas.mayLose(node.id) || this.wanted?.voters.includes(node.id) === true) return
        this.world.atlas.lose(node.id)
        counts.fired(fault)
        // Its identity is never used again: there is no way back for it.
        return node.life.stop("its journal is gone for good")
      default:
        return this.cut(fault)
    }
  }

  /** Somebody asks whoever leads for other members, again and again, until they are there or it takes too long. */
  private reconfigure(): void {
    const { atlas, counts, nodes, now, seeded, trace } = this.world
    if (this.wanted !== undefined) return
    const order = seeded.shuffle(atlas.left())
    const count = Math.min(order.length, seeded.between(1, nodes.length))
    const voters = order.slice(0, count)
    const learners = order.slice(count).filter(() => seeded.chance(0.3))
    const wanted = { voters, learners, quorums: QuorumSpecs.draw(seeded, voters) }
    this.wanted = wanted
    counts.fired("reconfigure")
    trace.event(
      "net",
      "reconfigure",
      count,
      () => `asked for: ${voters.map(nameOf).join(" ")} (${wanted.quorums._tag})`
    )
    this.pursue(wanted, now() + seeded.between(...lasts.reconfigure))
  }

  private pursue(wanted: Membership.Membership, until: number): void {
    const { agenda, nodes, now } = this.world
    const done = nodes.some(({ epoch, life }) => life.isUp && Membership.equals(epoch.membership, wanted))
    if (done || this.over || now() > until) {
      this.wanted = undefined
      return
    }
    for (const node of nodes) node.change(wanted)
    agenda.add(now() + again, () => this.pursue(wanted, until))
  }

  private note(
    fault: Fault,
    node: CoreNode,
    strike: (milliseconds: number) => void,
    [low, high]: readonly [number, number]
  ): void {
    const time = this.world.seeded.between(low, high)
    this.world.counts.fired(fault)
    this.world.trace.event(node.name, fault, time, () => `${fault} for ${time} ms`)
    strike(time)
  }

  private clog(): void {
    const { counts, network, seeded, trace } = this.world
    const [from, to] = seeded.shuffle(this.world.nodes)
    if (from === undefined || to === undefined) return
    const time = seeded.between(...lasts.clog)
    counts.fired("clog")
    trace.event(nameOf(from.id), "clog", time, () => `what it sends to ${to.name} is held back for ${time} ms`)
    network.clog(from.id, to.id, time)
  }

  private cut(kind: Partition.Kind): void {
    const { agenda, counts, network, now, seeded, trace } = this.world
    const members = this.world.nodes.map(({ id }) => id)
    const partition = Partition.random(kind, seeded, members, this.world.leader())
    if (partition === undefined) return
    const time = seeded.between(...lasts.partition)
    counts.fired(kind)
    trace.event("net", kind, time, () => `${kind} for ${time} ms: ${describe(partition, members)}`)
    network.partition = partition
    const number = ++this.partitions
    agenda.add(now() + time, () => {
      if (this.over || number !== this.partitions) return
      trace.event("net", "whole", 0, () => "whole again")
      network.partition = Partition.none
    })
  }
}

type Strike = Partition.Kind | (typeof others)[number]

const others = ["clog", "outage", "handOver", "pause", "diskFull", "slowDisk", "wipe", "reconfigure"] as const

const strikes: ReadonlyArray<Strike> = [...Partition.kinds, ...others]

/** The links that are dead. @internal */
export const describe = (partition: Partition.Partition, members: ReadonlyArray<NodeId.NodeId>): string => {
  const dead = members.flatMap((from) =>
    members.filter((to) => !partition(from, to)).map((to) => `${nameOf(from)} to ${nameOf(to)}`)
  )
  return dead.length === 0 ? "all links carry" : `dead are ${dead.join(", ")}`
}
