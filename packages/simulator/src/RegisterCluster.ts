/**
 * Clusters of registers in simulated time: the plain steps of `@synod/paxos`, members with disks, a proposer at each and two in clients
 * that share a node id.
 *
 * ```
 *   chaos ───────────────────────────► all links whole, all members up
 *   faults by their rates, all         every proposer reads and proposes every register, and is
 *   propose and read the same few      answered within the bound, with the same; what is old is
 *         │                            forgotten in time, if the policy says so, and nothing else
 *         └──── the judge counts the votes on every disk, and looks at every answer ────┘
 * ```
 *
 * @since 0.1.0
 */
import { Ballot, Invariant, NodeId, QuorumSpec, RegisterRound } from "@synod/paxos"
import type { QuorumSystem, RegisterMessage } from "@synod/paxos"
import * as Either from "effect/Either"
import * as Fault from "./Fault.js"
import * as Agenda from "./internal/agenda.js"
import { decidedAgain, fastDecides, isForgotten, RegisterJudge, slowDecides } from "./internal/registerJudge.js"
import { RegisterNode } from "./internal/registerNode.js"
import { RegisterProposer, times, unknown } from "./internal/registerProposer.js"
import * as Partition from "./Partition.js"
import * as Seeded from "./Seeded.js"
import type { Outcome } from "./Tier.js"
import * as Trace from "./Trace.js"
import { Violation } from "./Violation.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  readonly members: ReadonlyArray<NodeId.NodeId>
  readonly quorums: QuorumSpec.QuorumSpec
  readonly rates: Fault.Rates
  /** How long registers are kept after they were decided, in milliseconds. Default: for ever. */
  readonly age?: number | undefined
  readonly readable: boolean
}

/**
 * What should happen in some run of many.
 *
 * @since 0.1.0
 * @category reporting
 */
export const sometimes: ReadonlyArray<string> = [
  "a proposer hears of another value",
  "a read finds nothing",
  "a read finishes what was begun",
  fastDecides,
  slowDecides,
  decidedAgain,
  isForgotten,
  unknown
]

/** How long faults strike, in milliseconds. */
const chaos = 6000

/** In how many milliseconds everybody must be answered when all is well again: a few of the longest pauses. */
const bound = 5000

/** Registers begin one after the other, in milliseconds, so that there are always some that nothing is decided of. */
const interval = 500

/** A register that every member has promised somebody, and nobody decides. */
const begun = "begun"

/** How many of the newest registers are asked for. */
const recent = 3

/** Between two requests of a proposer, on average, in milliseconds. */
const think = 250

const latencies = [0.2, 1, 10]
const syncs = [0.1, 1, 5]
const clients = 2
/** Addresses of clients begin behind every node id; all make ballots as the same node. */
const firstClient = 65_536
const client = NodeId.make(65_535)
const longestDelay = 4000
const down = 2000
const lasts = { partition: [200, 3000], slow: [300, 2000] } as const
const cuts = ["halves", "oneWay", "isolate"] as const

/**
 * One run, from its seed.
 *
 * @since 0.1.0
 * @category running
 */
export const run = (seed: number, options: Options): Outcome => {
  const cluster = new RegisterCluster(seed, options)
  let violation: Violation | undefined
  try {
    cluster.run()
  } catch (error) {
    violation = violationOf(error, cluster.now)
  }
  return cluster.outcome(violation)
}

const violationOf = (error: unknown, time: number): Violation => {
  if (error instanceof Violation) return error
  if (error instanceof Invariant.InvariantBroken) {
    return new Violation({ property: "invariant", sentence: error.message, time })
  }
  const sentence = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return new Violation({ property: "no defects", sentence, time })
}

class RegisterCluster {
  now = 0
  private readonly agenda = Agenda.make<() => void>()
  private readonly seeded: Seeded.Seeded
  private readonly counts = Fault.counts()
  private readonly trace: Trace.Trace
  private readonly judge: RegisterJudge
  private readonly nodes: ReadonlyArray<RegisterNode>
  private readonly proposers: ReadonlyArray<RegisterProposer>
  private readonly latency: number
  private rates: Fault.Rates
  private partition: Partition.Partition = Partition.none
  private isChaos = true
  private answers = 0
  private slowest = 0

  constructor(
    private readonly seed: number,
    private readonly options: Options
  ) {
    const { age, members, readable } = options
    const now = () => this.now
    const quorums: QuorumSystem.QuorumSystem = Either.getOrThrow(QuorumSpec.make(options.quorums, members))
    this.rates = options.rates
    this.seeded = Seeded.make(seed, "registers")
    this.trace = Trace.make({ now, readable })
    this.judge = new RegisterJudge(quorums, (round) => RegisterRound.isFast(quorums, round), now, age)
    this.latency = this.seeded.pick(latencies)
    const common = { now, agenda: this.agenda, judge: this.judge }
    this.nodes = members.map(
      (id) =>
        new RegisterNode(id, {
          ...common,
          seeded: this.seeded.fork(`node ${id}`),
          counts: this.counts,
          sync: this.seeded.pick(syncs),
          rates: () => this.rates,
          age,
          crashed: (node) => this.crashed(node)
        })
    )
    const proposer = (address: number, self: NodeId.NodeId) =>
      new RegisterProposer(address, self, {
        ...common,
        seeded: this.seeded.fork(`proposer ${address}`),
        quorums,
        send: (from, to, message, reply) => this.send(from, to, message, reply)
      })
    this.proposers = [
      ...members.map((id) => proposer(id, id)),
      ...Array.from({ length: clients }, (_, i) => proposer(firstClient + i, client))
    ]
  }

  run(): void {
    for (const proposer of this.proposers) this.work(proposer)
    for (const cut of cuts) this.strike(cut, () => this.cut(cut))
    this.strike("slowDisk", () => this.seeded.pick(this.nodes).slow(this.seeded.between(...lasts.slow)))
    this.strike("outage", () => this.nodes.forEach((node) => node.crash()))
    this.until(chaos, () => false)
    this.isChaos = false
    this.rates = {}
    this.partition = Partition.none
    for (const node of this.nodes) {
      node.slow(0)
      node.start()
    }
    this.settle()
  }

  /** Everybody reads every register, and proposes where nothing was decided: all are told the same. */
  private settle(): void {
    const since = this.now
    const keys = Array.from({ length: Math.ceil(chaos / interval) }, (_, i) => `r${i}`)
    const reads = keys.flatMap((key) => this.proposers.map((proposer) => proposer.ask(key, null, bound)))
    const proposals = keys.flatMap((key) =>
      this.proposers.map(({ address }, i) => this.proposers[i]!.ask(key, `last of ${address}`, bound))
    )
    const all = [...reads, ...proposals]
    this.until(since + bound, () => all.every(({ answer }) => answer !== undefined))
    const silent = all.find(({ answer }) => answer === undefined)
    if (silent !== undefined) {
      const what = silent.value === null ? "a read" : "a proposal"
      this.judge.fail("liveness", `${what} of ${silent.key} is not answered within ${bound} ms of a healthy cluster`)
    }
    this.answers += all.length
    this.slowest = (this.now - since) / times.patience
    if (this.options.age !== undefined) this.outlive(this.options.age, keys)
  }

  /** When the time of all that is decided is over it is forgotten, and what was only begun is not. */
  private outlive(age: number, keys: ReadonlyArray<string>): void {
    for (const node of this.nodes) {
      const message = { _tag: "Prepare", key: begun, ballot: Ballot.make(1, node.id), life: 1 } as const
      node.get({ message, reply: () => undefined })
    }
    this.until(this.now + bound + age, () => false)
    for (const proposer of this.proposers) proposer.ask("the last", null, bound)
    this.until(this.now + bound, () => false)
    for (const node of this.nodes) {
      const kept = keys.find((key) => node.holds(key))
      if (kept !== undefined) this.judge.fail("forgotten in time", `node ${node.id} keeps ${kept} beyond its time`)
      if (!node.holds(begun)) this.judge.fail("kept for its time", `node ${node.id} has forgotten what it promised`)
    }
  }

  /** A proposer asks for the newest registers, over and over. */
  private work(proposer: RegisterProposer): void {
    this.agenda.add(this.now + 2 * think * this.seeded.next(), () => {
      if (!this.isChaos) return
      const member = this.nodes.find(({ id }) => id === proposer.address)
      if (member?.isUp !== false) this.request(proposer)
      this.work(proposer)
    })
  }

  private request(proposer: RegisterProposer): void {
    const newest = Math.floor(this.now / interval)
    const key = `r${Math.max(0, newest - this.seeded.below(recent))}`
    const value = this.seeded.chance(0.4) ? null : `v${this.seeded.below(1_000_000)} of ${proposer.address}`
    this.trace.event(String(proposer.address), "asks", () => `${key} ${value ?? "?"}`)
    proposer.ask(key, value)
    this.answers++
  }

  private crashed(node: RegisterNode): void {
    this.trace.event(String(node.id), "crashes")
    this.proposers.find(({ address }) => address === node.id)!.restart()
    this.agenda.add(this.now + down * this.seeded.next(), () => node.start())
  }

  private strike(fault: Fault.Fault, what: () => void): void {
    const rate = this.rates[fault] ?? 0
    if (rate === 0) return
    this.agenda.add(this.now + (-Math.log(1 - this.seeded.next()) / rate) * 1000, () => {
      if (!this.isChaos) return
      this.counts.fired(fault)
      this.trace.event("net", fault)
      what()
      this.strike(fault, what)
    })
  }

  private cut(kind: (typeof cuts)[number]): void {
    const members = this.nodes.map(({ id }) => id)
    const partition = Partition.random(kind, this.seeded, members) ?? Partition.none
    this.partition = partition
    this.agenda.add(this.now + this.seeded.between(...lasts.partition), () => {
      if (this.partition === partition) this.partition = Partition.none
    })
  }

  private send(
    from: number,
    to: NodeId.NodeId,
    message: RegisterMessage.ToAcceptor,
    reply: (message: RegisterMessage.ToProposer) => void
  ): void {
    this.carry(from, to, message._tag, () => {
      const node = this.nodes.find(({ id }) => id === to)!
      node.get({ message, reply: (answer) => this.carry(to, from, answer._tag, () => reply(answer)) })
    })
  }

  private carry(from: number, to: number, what: string, arrive: () => void): void {
    if (from === to) return void this.agenda.add(this.now, arrive)
    const { delay = 0, duplication = 0, loss = 0 } = this.rates
    if (this.seeded.chance(loss)) return this.counts.fired("loss")
    const times = this.seeded.chance(duplication) ? 2 : 1
    if (times === 2) this.counts.fired("duplication")
    for (let i = 0; i < times; i++) {
      const late = this.seeded.chance(delay)
      if (late) this.counts.fired("delay")
      const takes = this.latency * (1 + this.seeded.next()) + (late ? longestDelay * this.seeded.next() ** 2 : 0)
      this.agenda.add(this.now + takes, () => {
        if (this.isCut(from, to)) return
        this.trace.event(String(to), what, () => `from ${from}`)
        arrive()
      })
    }
  }

  private isCut(from: number, to: number): boolean {
    const isMember = from < firstClient && to < firstClient
    return isMember && !this.partition(NodeId.make(from), NodeId.make(to))
  }

  private until(end: number, enough: () => boolean): void {
    while (!enough()) {
      const next = this.agenda.peek()
      if (next === undefined || next.time > end) break
      this.agenda.take()
      this.now = next.time
      next.what()
    }
    if (!enough()) this.now = end
  }

  outcome(violation: Violation | undefined): Outcome {
    return {
      seed: this.seed,
      hash: this.trace.digest(),
      simulated: this.now,
      operations: this.answers,
      leaders: 0,
      faults: this.counts.all({}),
      sometimes: [...this.judge.sometimes],
      slowest: [["everybody is answered", this.slowest]],
      violation,
      lines: this.trace.lines
    }
  }
}
