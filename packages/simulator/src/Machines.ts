/**
 * The machines of a simulated site: on each a replica that a supervisor starts again whenever it ends, and a disk that
 * outlives it.
 *
 * ```
 *   disk ──► process ── crash, stop ──► pause ──► process …
 *     └── journal gone or damaged ──► never again, since nobody may vote who has forgotten what he said
 * ```
 *
 * @since 0.1.0
 */
import * as RpcClient from "@effect/rpc/RpcClient"
import * as RpcServer from "@effect/rpc/RpcServer"
import { Journal } from "@synod/journal"
import type { Membership, NodeId } from "@synod/paxos"
import { Actor, EventLoop, Peers, PeerServer, Replica, ReplicaConfig } from "@synod/replica"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Disk from "./Disk.js"
import * as DiskJournal from "./DiskJournal.js"
import type { Counts, Rates } from "./Fault.js"
import type { Network } from "./Network.js"
import type { Process } from "./Process.js"
import type { Subject } from "./Subject.js"
import * as TableDisk from "./TableDisk.js"
import type { Witness } from "./Witness.js"
import type { World } from "./World.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Machine {
  readonly node: NodeId.NodeId
  readonly disk: Disk.Disk
  /** Where a machine on tables keeps them. */
  readonly tables: TableDisk.TableDisk
  /** The process that runs now. */
  process: Process | undefined
  replica: Replica.Replica["Type"] | undefined
  /** Its journal is gone or damaged; it does not come back. */
  lost: boolean
  /** Its journal was wiped, and nobody has told it yet: it is started once more. */
  wiped: boolean
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Machines {
  readonly all: ReadonlyArray<Machine>
  readonly start: (machine: Machine) => void
  /** Ends its process, with the power of the machine or without. */
  readonly crash: (machine: Machine, power: boolean) => void
  /** Has it hand over the lead, and stops it then if `stop` says so; false if it doesn't lead. */
  readonly handOver: (machine: Machine, stop: boolean) => boolean
  /** Has it ask the cluster for other members, for so many milliseconds; false if it doesn't run. */
  readonly change: (machine: Machine, wanted: Membership.Membership, timeout: number) => boolean
  /** Leads that were handed over. */
  readonly handedOver: () => number
  /** It is never started again. */
  readonly lose: (machine: Machine) => void
  /** Its journal is gone, and it comes back as if nothing were the matter, until somebody who remembers refuses it. */
  readonly wipe: (machine: Machine) => void
  /** How often one of those was refused. */
  readonly refused: () => number
  readonly setRates: (rates: Rates) => void
  /** From now on, machines that ended come back at once. */
  readonly settle: () => void
}

/** How long the supervisor waits before it starts a replica again, in milliseconds. */
const restart = { least: 20, most: 3_000, settled: 50 } as const

/** A crash is so many times as likely while a journal writes, and comes within so many milliseconds. */
const writeCrashes = 10
const longestWrite = 1

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = <State>(
  world: World,
  options: {
    readonly cluster: string
    /** All there are: those that found the cluster, and those that may join it. */
    readonly nodes: ReadonlyArray<NodeId.NodeId>
    readonly founders: Membership.Membership
    readonly config: ReplicaConfig.Values
    readonly network: Network
    readonly witness: Witness<State>
    readonly counts: Counts
    /** The machine with its handlers, made anew for each start. */
    readonly subject: (tables: TableDisk.TableDisk) => Subject<State, any>
  }
): Machines => {
  const { cluster, config, counts, founders, network, nodes, witness } = options
  const seeded = world.seeded.fork("machines")
  let rates: Rates = {}
  let settled = false
  let handedOver = 0
  let refused = 0

  const all = nodes.map((node): Machine => {
    const disk = Disk.make(`journal of node ${node}`, world.seeded.fork(`disk ${node}`), counts)
    const tables = TableDisk.make(world.seeded.fork(`tables ${node}`), counts, disk)
    return { node, disk, tables, process: undefined, replica: undefined, lost: false, wiped: false }
  })

  /** A replica, until it stops by itself. */
  const live = (machine: Machine, process: Process) =>
    Effect.gen(function* () {
      const { disk, node } = machine
      const protocol = yield* network.listen(process, node)
      const peers = new Map(
        yield* Effect.forEach(
          nodes.filter((other) => other !== node),
          (other) =>
            PeerServer.client().pipe(
              Effect.provideService(RpcClient.Protocol, network.connect(process, other)),
              Effect.map((peer) => [other, peer] as const)
            )
        )
      )
      const journal = witness.journal(node, perilous(machine, yield* DiskJournal.open(disk, { cluster, node })))
      const { replica } = yield* Replica.make(witness.executor(node, options.subject(machine.tables))).pipe(
        Effect.provideService(Journal.Journal, journal),
        Effect.provideService(Peers.Peers, {
          cluster,
          self: node,
          beginning: founders.voters.includes(node)
            ? { _tag: "Found", membership: founders }
            : { _tag: "Join", seeds: founders.voters },
          peer: (other) => peers.get(other)!,
          enter: () => Effect.void,
          serve: (peer) =>
            Effect.asVoid(
              Layer.build(Layer.provide(PeerServer.layer(peer), Layer.succeed(RpcServer.Protocol, protocol)))
            )
        })
      )
      machine.replica = replica
      return yield* replica.stopped
    }).pipe(
      Effect.scoped,
      Effect.provideService(ReplicaConfig.ReplicaConfig, config),
      Effect.provideService(Actor.Checkpoint, (actor, point) => checkpoint(machine, process, actor, point)),
      // What waits for the sockets to be written waits for other tasks here.
      Effect.provideService(EventLoop.EventLoop, { turn: Effect.sleep(0) }),
      Effect.provide(logger(process))
    )

  const checkpoint = (machine: Machine, process: Process, actor: string, point: Actor.Point): Effect.Effect<void> =>
    Effect.suspend(() => {
      if (!seeded.chance(rates.crash ?? 0)) return Effect.void
      counts.fired("crash")
      world.trace.event(process.name, "crashes", () => `at ${actor} ${point}`)
      crash(machine, seeded.chance(0.5))
      return Effect.never
    })

  /** The power may fail while a write is on its way to the medium. */
  const perilous = (machine: Machine, journal: Journal.Journal["Type"]): Journal.Journal["Type"] => {
    const inPeril = <A, E>(write: Effect.Effect<A, E>) =>
      Effect.suspend(() => {
        if (seeded.chance(writeCrashes * (rates.crash ?? 0))) {
          const { process } = machine
          world.after(seeded.next() * longestWrite, () => {
            if (process === undefined || process !== machine.process) return
            counts.fired("crash")
            world.trace.event(process.name, "crashes", () => "while it writes")
            crash(machine, true)
          })
        }
        return write
      })
    return {
      ...journal,
      write: (write) => inPeril(journal.write(write)),
      saveChunk: (slot, index, body) => inPeril(journal.saveChunk(slot, index, body)),
      saveSnapshot: (snapshot) => inPeril(journal.saveSnapshot(snapshot))
    }
  }

  const logger = (process: Process) =>
    Logger.replace(
      Logger.defaultLogger,
      Logger.make(({ message }) => world.trace.event(process.name, "says", () => String(message)))
    )

  const start = (machine: Machine): void => {
    if ((machine.lost && !machine.wiped) || machine.process !== undefined) return
    const skewed = seeded.chance(rates.skew ?? 0)
    if (skewed) counts.fired("skew")
    const process = world.process(String(machine.node), { rate: skewed ? 0.9 + seeded.next() * 0.2 : 1 })
    machine.process = process
    world.trace.event(process.name, "starts")
    process.fork(live(machine, process)).addObserver((exit) => {
      // One that crashed has nobody to tell.
      if (exit._tag === "Success" || !process.alive()) return
      const error = Cause.squash(exit.cause)
      world.trace.event(process.name, "stops", () => String(error))
      const reason = String(error)
      // Its journal is the only thing for which a replica may stop.
      const mayStop = !Cause.isDie(exit.cause) && reason.includes(machine.disk.name)
      if (!mayStop) world.violate("no defects", `node ${machine.node} stops: ${reason}`)
      if (reason.includes("damaged")) machine.lost = true
      if (mayStop && machine.wiped) {
        machine.wiped = false
        refused++
      }
      crash(machine, false)
    })
  }

  const crash = (machine: Machine, power: boolean): void => {
    if (machine.process === undefined) return
    machine.process.crash()
    machine.process = undefined
    machine.replica = undefined
    machine.disk.crash(power)
    machine.tables.crash(power)
    const pause = settled ? restart.settled : restart.least + seeded.next() * (restart.most - restart.least)
    world.after(pause, () => start(machine))
  }

  return {
    all,
    start,
    crash: (machine, power) => {
      world.trace.event(String(machine.node), "crashes", () => (power ? "with its power" : "alone"))
      crash(machine, power)
    },
    handOver: (machine, stop) => {
      const { process, replica } = machine
      if (process === undefined || replica === undefined) return false
      if (Effect.runSync(replica.status).phase !== "Leading") return false
      process.fork(replica.handOver).addObserver((exit) => {
        if (!process.alive() || exit._tag === "Failure") return
        world.trace.event(process.name, exit.value ? "has handed over" : "could not hand over")
        if (exit.value) handedOver++
        if (stop) crash(machine, false)
      })
      return true
    },
    change: (machine, wanted, timeout) => {
      const { process, replica } = machine
      if (process === undefined || replica === undefined) return false
      const changing = Effect.flatMap(replica.admin.epoch, ({ number }) =>
        replica.admin.changeMembership({ expect: number, wanted }, { timeout })
      )
      process.fork(changing).addObserver((exit) => {
        if (!process.alive()) return
        world.trace.event(process.name, "asked for members", () =>
          exit._tag === "Success" ? `epoch ${exit.value.number} is in force` : String(Cause.squash(exit.cause))
        )
      })
      return true
    },
    handedOver: () => handedOver,
    lose: (machine) => {
      machine.lost = true
      crash(machine, false)
    },
    wipe: (machine) => {
      machine.lost = machine.wiped = true
      crash(machine, false)
      machine.disk.wipe()
      machine.tables.wipe()
      witness.wiped(machine.node)
    },
    refused: () => refused,
    setRates: (next) => {
      rates = next
      for (const { disk, tables } of all) {
        disk.setRates(next)
        tables.setRates(next)
      }
    },
    settle: () => {
      settled = true
      for (const machine of all) start(machine)
    }
  }
}
