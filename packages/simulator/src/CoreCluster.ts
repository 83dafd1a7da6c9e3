/**
 * Whole clusters of the protocol's plain steps in simulated time: no fibers, no bytes, microseconds a message.
 *
 * ```
 *   chaos ─────────────────────► a healthy core, left alone ─────► everybody, links whole
 *   faults by their rates,       must choose a new command         must apply all that is chosen
 *   clients at work              within the bound                  within the bound
 *         └──────────── the judge looks at every write, application and answer ─────────────┘
 * ```
 *
 * @since 0.1.0
 */
import { Ballot, Invariant, Membership, NodeId } from "@synod/paxos"
import type { Quorum } from "@synod/paxos"
import * as Atlas from "./Atlas.js"
import * as CoreSteps from "./CoreSteps.js"
import * as Fault from "./Fault.js"
import * as Agenda from "./internal/agenda.js"
import { CoreClient } from "./internal/coreClient.js"
import { CoreDisk } from "./internal/coreDisk.js"
import { handsOver } from "./internal/coreHandOver.js"
import { CoreJudge } from "./internal/coreJudge.js"
import { CoreNemesis, describe } from "./internal/coreNemesis.js"
import { firstClient, nameOf, type Address, type Envelope } from "./internal/coreMessage.js"
import { CoreNetwork } from "./internal/coreNetwork.js"
import { CoreNode, type NodeWorld } from "./internal/coreNode.js"
import * as Setting from "./internal/coreSetting.js"
import * as CoreTrace from "./internal/coreTrace.js"
import * as Partition from "./Partition.js"
import * as Seeded from "./Seeded.js"
import type { Outcome } from "./Tier.js"
import { Violation } from "./Violation.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** Who founds the cluster. */
  readonly founders: Membership.Membership
  readonly rates: Fault.Rates
  readonly harsh: boolean
  readonly readable: boolean
  /** Default: those of production. */
  readonly steps?: CoreSteps.CoreSteps
}

/**
 * One run, from its seed.
 *
 * @since 0.1.0
 * @category running
 */
export const run = (seed: number, options: Options): Outcome => {
  const cluster = new CoreCluster(seed, options)
  let violation: Violation | undefined
  try {
    cluster.run()
  } catch (error) {
    violation = violationOf(error, cluster.now)
  }
  return cluster.outcome(violation)
}

/**
 * What a run reports when such a core has become live again.
 *
 * @since 0.1.0
 * @category reporting
 */
export const liveAgain = (kind: Atlas.Kind): string => `live again: ${kind}`

/**
 * What a run reports when a leader prepared anew for the sake of a node that came back.
 *
 * @since 0.1.0
 * @category reporting
 */
export const goesAbove = "a leader goes above a ballot that somebody brought along"

/** What is thrown in a run is a finding, whatever it is. */
const violationOf = (error: unknown, time: number): Violation => {
  if (error instanceof Violation) return error
  if (error instanceof Invariant.InvariantBroken) {
    return new Violation({ property: "invariant", sentence: error.message, time })
  }
  const sentence = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return new Violation({ property: "no defects", sentence, time })
}

/** Where commands come from that only ask whether the cluster lives. */
const observer: Address = firstClient

/** Things that happen in a run: a hundred times as many as in a busy one. Past it messages breed messages. */
const maxEvents = 1_000_000

/** How long a node is down, in milliseconds, at most. */
const down = 2000

/** Nodes start within so many milliseconds. */
const startWithin = 50

/** The nodes of a core that are down when it is left alone come back within so many milliseconds. */
const backWithin = 100

class CoreCluster {
  now = 0
  private readonly agenda = Agenda.make<() => void>()
  private readonly seeded: Seeded.Seeded
  private readonly counts = Fault.counts()
  private readonly setting: Setting.Setting
  private readonly trace: CoreTrace.CoreTrace
  private readonly judge: CoreJudge
  private readonly atlas: Atlas.Atlas
  private readonly network: CoreNetwork
  private readonly nodes: ReadonlyArray<CoreNode>
  private readonly clients: ReadonlyArray<CoreClient>
  private readonly nemesis: CoreNemesis
  private events = 0
  private lives = 0
  private leaders = 0
  private lastLeader: NodeId.NodeId | undefined
  /** Under which it leads. */
  private lastClaim = { epoch: 0, ballot: Ballot.zero }
  private probes = 0
  /** Once it is over, nodes come back without delay. */
  private chaos = true

  constructor(
    private readonly seed: number,
    private readonly options: Options
  ) {
    const { founders, rates, readable, steps = CoreSteps.production } = options
    const { voters } = founders
    // Those who may join come behind the founders.
    const spares = (rates.reconfigure ?? 0) > 0 ? Setting.spares : 0
    const members = [...voters, ...Array.from({ length: spares }, (_, i) => NodeId.make(Math.max(...voters) + 1 + i))]
    const now = () => this.now
    this.seeded = Seeded.make(seed, "core")
    this.trace = CoreTrace.make(now, readable)
    this.judge = new CoreJudge(founders, now)
    this.atlas = Atlas.make(members, { harsh: options.harsh, quorums: () => this.inForce() })
    const setting = Setting.draw(this.seeded.fork("setting"))
    this.setting = setting
    const common = { now, agenda: this.agenda, counts: this.counts, trace: this.trace, judge: this.judge, setting }
    const fork = (part: string) => ({ ...common, seeded: this.seeded.fork(part) })
    const network = new CoreNetwork(
      {
        ...fork("network"),
        latency: setting.latency,
        deliver: (from, to, envelope) => this.deliver(from, to, envelope)
      },
      rates
    )
    this.network = network
    const world: NodeWorld = {
      ...fork("nodes"),
      founders: voters,
      steps,
      network,
      newLife: () => ++this.lives,
      stopped: (node) => this.stopped(node),
      leads: (node) => this.leads(node)
    }
    this.nodes = members.map((id) => this.node(id, world, rates))
    this.clients = Array.from(
      { length: Setting.clients },
      (_, i) => new CoreClient(firstClient + 1 + i, { ...fork(`client ${i}`), network, members })
    )
    this.nemesis = new CoreNemesis(
      { ...fork("nemesis"), network, atlas: this.atlas, nodes: this.nodes, leader: () => this.lastLeader },
      rates
    )
  }

  /** The quorums of the newest epoch, and of those before it in which some of its voters still are. */
  private inForce(): ReadonlyArray<Quorum.QuorumSystem> {
    const { epoch, memberships } = this.judge
    const voters = memberships[epoch - 1]!.voters
    const numbers = this.nodes
      .filter(({ id }) => voters.includes(id))
      .map(({ disk }) => disk.durable.epochs.present.number)
    const oldest = Math.max(1, Math.min(epoch, ...numbers))
    return Array.from({ length: epoch - oldest + 1 }, (_, i) => this.judge.quorums(oldest + i))
  }

  /** Nothing stays cut where members change: those of the next epoch may be on the other side. */
  private core(): Atlas.Core {
    return this.nodes.length > this.options.founders.voters.length
      ? { kind: "whole", nodes: this.atlas.left(), partition: Partition.none }
      : this.atlas.core(this.seeded, this.lastLeader)
  }

  private node(id: NodeId.NodeId, world: NodeWorld, rates: Fault.Rates): CoreNode {
    const disk: CoreDisk = new CoreDisk(
      nameOf(id),
      {
        now: world.now,
        seeded: world.seeded,
        counts: world.counts,
        sync: world.setting.sync,
        synced: (asked) => {
          this.trace.event(disk.name, "synced", disk.entries.length)
          this.judge.wrote(id, asked, disk)
        }
      },
      rates,
      this.judge.founded(id)
    )
    const node = new CoreNode(id, disk, world, rates)
    this.restart(node, startWithin)
    return node
  }

  run(): void {
    this.until(Setting.chaos, () => false)
    this.chaos = false
    this.nemesis.end()
    for (const node of this.nodes) {
      node.disk.calm()
      node.life.calm()
    }
    if (this.options.harsh) this.network.calm(Partition.none)
    else this.recover()
    for (const client of this.clients) client.stop()
    this.settle()
  }

  /** A healthy core is left alone: it must elect a leader, and choose a command that nobody had asked for before. */
  private recover(): void {
    const { kind, nodes, partition } = this.core()
    const members = this.nodes.map(({ id }) => id)
    this.network.calm(partition)
    this.trace.event("net", kind, 0, () => `left alone: ${kind}, ${describe(partition, members)}`)
    const core = this.nodes.filter(({ id }) => nodes.includes(id))
    for (const node of core) this.restart(node, backWithin)
    const first = this.probes + 1
    const live = () => {
      for (let sequence = first; sequence <= this.probes; sequence++) {
        if (this.judge.wasPerformed({ client: observer, sequence })) return true
      }
      return false
    }
    // A disk that was slow may still be at it, and a link that was clogged: what they do then is the last of the faults.
    const since = Math.max(this.now, this.network.heldUntil(nodes), ...core.map(({ disk }) => disk.busyUntil))
    this.probe(core, live)
    const trimmed = Math.max(...core.map(({ disk }) => disk.durable.trimmedThrough))
    const lacks = core.some(({ disk }) => disk.durable.acceptedThrough < trimmed)
    const within = lacks || this.judge.epoch > 1 ? Setting.patience : Setting.settled
    const lease = this.setting.lease === undefined ? 0 : Setting.leaseEnd(this.setting.lease)
    this.until(since + within * Setting.electionTimeout + lease, live)
    // Who was asked for last may be gone.
    if (!live() && !this.atlas.survives()) return
    if (!live()) {
      const more = lease === 0 ? "" : ` and ${Math.round(lease)} ms of leases`
      const sentence = `a healthy core (${kind}) chooses nothing new within ${within} election timeouts${more}`
      this.judge.fail("liveness", sentence)
    }
    this.judge.happened(liveAgain(kind))
    const late = `${lacks ? ", snapshot and all" : ""}${lease === 0 ? "" : ", with leases"}`
    this.judge.took(`a core (${kind}) is live again${late}`, Math.max(0, this.now - since) / Setting.electionTimeout)
    this.steady(kind)
  }

  /** Whoever leads a core that is left alone goes on leading: replicas that take the lead in turns get little done. */
  private steady(kind: Atlas.Kind): void {
    const begin = this.now
    let { leaders } = this
    let since = begin
    const isSteady = () => {
      if (leaders !== this.leaders) since = this.now
      leaders = this.leaders
      return this.now - since >= Setting.steady * Setting.electionTimeout
    }
    this.until(begin + bound, isSteady)
    if (!isSteady()) this.judge.fail("liveness", `a healthy core (${kind}) goes on changing its leader`)
    this.judge.took("its leader stays", (since - begin) / Setting.electionTimeout)
  }

  /** All links are whole: everybody whose journal is there applies all that is chosen. A harsh world promises nothing. */
  private settle(): void {
    if (!this.atlas.survives()) return
    this.network.calm(Partition.none)
    this.trace.event("net", "whole", 0, () => "whole, and no client asks for more")
    const left = this.nodes.filter(({ id }) => this.atlas.left().includes(id))
    for (const node of left) this.restart(node, backWithin)
    const same = () => left.every((node) => !this.takesPart(node) || node.applied === this.judge.chosen.length)
    const since = this.now
    const keeps = this.keeper()
    this.until(this.now + bound, same)
    if (!same() && !this.options.harsh && this.atlas.survives()) {
      const applied = left.map((node) => `${node.name} ${node.applied}`).join(", ")
      const sentence = `of ${this.judge.chosen.length} chosen slots are applied, ${Setting.patience} election timeouts later: ${applied}`
      this.judge.fail("liveness", sentence)
    }
    if (same()) this.judge.took("everybody has applied everything", (this.now - since) / Setting.electionTimeout)
    keeps()
  }

  /** Somebody brings it up to date. */
  private takesPart({ id }: CoreNode): boolean {
    return Membership.nodes(this.judge.memberships[this.judge.epoch - 1]!).includes(id)
  }

  /** A node that returns with a high ballot, and perhaps with an attempt to lead under way, deposes nobody. */
  private keeper(): () => void {
    const handed = () => this.judge.sometimes.get(handsOver) ?? 0
    const [before, leader, leaders] = [handed(), this.lastLeader, this.leaders]
    const leads = this.nodes.some(({ id, isHandingOver, isLeading }) => id === leader && isLeading && !isHandingOver)
    if (this.options.harsh || !leads) return () => {}
    return () => {
      this.until(this.now + Setting.steady * Setting.electionTimeout, () => this.lastLeader !== leader)
      if (this.leaders > leaders) this.judge.happened(goesAbove)
      if (this.lastLeader === leader || handed() > before) return
      this.judge.fail(
        "nobody is deposed",
        `n${leader} led and was heard, and n${this.lastLeader} took the lead from it`
      )
    }
  }

  /** Asks every leader of the core for something new, once a heartbeat, until it is live. */
  private probe(core: ReadonlyArray<CoreNode>, live: () => boolean): void {
    if (live()) return
    for (const node of core) {
      if (!node.isLeading) continue
      const command = { client: observer, sequence: ++this.probes }
      this.judge.submit(command)
      node.probe({ ...command, from: observer })
    }
    this.agenda.add(this.now + probeEvery, () => this.probe(core, live))
  }

  /** What happens until then, or until it is enough. */
  private until(end: number, enough: () => boolean): void {
    for (;;) {
      if (enough()) return
      const next = this.agenda.peek()
      if (next === undefined || next.time > end) break
      this.agenda.take()
      this.now = next.time
      if (++this.events > maxEvents)
        this.judge.fail("progress", `more than ${maxEvents} things happen and no end is in sight`)
      next.what()
    }
    this.now = end
  }

  private deliver(from: Address, to: Address, envelope: Envelope): void {
    if (to > observer) this.clients[to - observer - 1]!.get(envelope)
    else if (to < observer) this.nodes.find(({ id }) => id === to)!.get(from, envelope)
  }

  private stopped(node: CoreNode): void {
    this.restart(node, this.chaos ? down : backWithin)
  }

  /** Starts it within so many milliseconds; one whose journal is gone does not come back. */
  private restart(node: CoreNode, within: number): void {
    this.agenda.add(this.now + within * this.seeded.next(), () => {
      if (this.atlas.left().includes(node.id)) node.start()
    })
  }

  private leads(node: CoreNode): void {
    const { claim: ballot } = node
    const { number: epoch } = node.epoch
    // One that stood still, and finds out later that others have gone above, deposes nobody.
    const late =
      epoch === this.lastClaim.epoch ? Ballot.lessThan(ballot, this.lastClaim.ballot) : epoch < this.lastClaim.epoch
    if (late) return this.trace.event(node.name, "leads", 0, () => "leads, and others have gone above it")
    this.leaders++
    this.lastLeader = node.id
    this.lastClaim = { epoch, ballot }
    this.trace.event(node.name, "leads", this.leaders, () => "leads")
    if (this.nodes.some((other) => other !== node && other.isLeading)) {
      this.judge.happened("a leader comes up while an old one still believes to lead")
    }
  }

  outcome(violation: Violation | undefined): Outcome {
    return {
      seed: this.seed,
      hash: this.trace.digest(),
      simulated: this.now,
      operations: this.clients.reduce((sum, { answers }) => sum + answers, 0),
      leaders: this.leaders,
      faults: this.counts.all({}),
      sometimes: [...this.judge.sometimes],
      slowest: [...this.judge.slowest],
      violation,
      lines: this.trace.lines
    }
  }
}

/** The bound of each phase of recovery, in milliseconds. */
const bound = Setting.patience * Setting.electionTimeout

/** In milliseconds. */
const probeEvery = 100
