/**
 * Runs a machine in a simulated world: replicas, clients and everything that can go wrong, from one seed.
 *
 * ```
 *   chaos ───────────────────► rest ──────────────► live again ────► calls end ───► judged
 *   clients call, faults strike  faults end, some     within a bound    and replicas   history
 *                                links may stay cut                      are equal
 * ```
 *
 * @since 0.1.0
 */
import type * as Rpc from "@effect/rpc/Rpc"
import { NodeId, QuorumSpec } from "@synod/paxos"
import { Compression, ReplicaConfig } from "@synod/replica"
import { SqliteStore, SqlMachine, SqlStore } from "@synod/sql-machine"
import type { Executor, SessionTable, StateMachine, ValueExecutor } from "@synod/state-machine"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Logger from "effect/Logger"
import * as Atlas from "./Atlas.js"
import * as Clients from "./Clients.js"
import * as Followers from "./Followers.js"
import * as Fault from "./Fault.js"
import * as Guard from "./Guard.js"
import { forgetting } from "./internal/roots.js"
import { judge } from "./internal/judge.js"
import * as Recovery from "./internal/recovery.js"
import * as Machines from "./Machines.js"
import * as Model from "./Model.js"
import * as Nemesis from "./Nemesis.js"
import * as Network from "./Network.js"
import * as Partition from "./Partition.js"
import type { Outcome } from "./Tier.js"
import type * as Seeded from "./Seeded.js"
import * as Subject from "./Subject.js"
import type * as TableDisk from "./TableDisk.js"
import * as Tables from "./Tables.js"
import { Violation } from "./Violation.js"
import * as Witness from "./Witness.js"
import * as World from "./World.js"
import * as Faults from "./WorldFaults.js"

/**
 * What to simulate.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options<Name extends string, State, Commands extends Rpc.Any, Queries extends Rpc.Any> {
  /** The machine's handlers. */
  readonly layer: Subject.Live<Name>
  /** One operation of a client, called again and again. */
  readonly workload: Clients.Workload<Commands, Queries>
  /**
   * What the history of all clients is held against. Default: the machine itself, one operation after the other. `none`
   * is for machines whose answers depend on the agreed time or on chance, which a history doesn't hold.
   */
  readonly model?: Model.Model<any> | "none"
  /** What must hold of the state after each slot; the answer is what is wrong, if anything. */
  readonly invariant?: (state: State) => string | undefined
  /** How often what goes wrong. Default: {@link Faults.rates}, varied by each seed. */
  readonly faults?: Fault.Rates
  /** Faults beyond what the protocol promises to survive; then only safety has to hold. Default: false. */
  readonly harsh?: boolean
  /** Voters, from 1 to 9. Default: 3. */
  readonly replicas?: number
  /** Which sets of them decide. Default: majorities. */
  readonly quorums?: QuorumSpec.QuorumSpec
  /** Clients that call at the same time. Default: 3. */
  readonly clients?: number
  /** How long faults strike, in seconds of the world's time. Default: 8. */
  readonly chaos?: number
}

/**
 * In a healthy core somebody must lead a quorum that it reaches within so many election timeouts after the last fault, and after
 * the last lease has run out.
 *
 * @since 0.1.0
 * @category constants
 */
export const settledWithin = 5

/**
 * And it must answer clients again within so many: they wait before they try again, some replicas need a snapshot, and what
 * stood still at the last fault goes on later.
 *
 * @since 0.1.0
 * @category constants
 */
export const liveWithin = 12

/** Heartbeats are sparse, since each of them costs as much as a command does: time is what faults are to fill. */
const heartbeat = Duration.millis(250)

// Nothing in a simulated world waits for the world outside.
await Effect.runPromise(Compression.load)

/** How much clocks are skewed at most: what leases are told. */
const skew = 0.1

/** Bounds as small as some users will set them, so that each of them is met. */
const tight = (seeded: Seeded.Seeded): ReplicaConfig.Values => ({
  ...ReplicaConfig.defaults,
  heartbeat,
  pipeline: seeded.pick([1, 2, ReplicaConfig.defaults.pipeline]),
  batchEnvelopes: seeded.pick([1, 4, ReplicaConfig.defaults.batchEnvelopes]),
  outstanding: seeded.pick([2, 8, ReplicaConfig.defaults.outstanding]),
  keep: seeded.pick([0, 4, ReplicaConfig.defaults.keep]),
  chunk: seeded.pick([200, 2_000, ReplicaConfig.defaults.chunk]),
  replay: seeded.pick([1, 8, ReplicaConfig.defaults.replay]),
  mailbox: seeded.pick([16, 64, ReplicaConfig.defaults.mailbox]),
  snapshotSlots: seeded.pick([5, 20, 100, ReplicaConfig.defaults.snapshotSlots]),
  snapshotBytes: seeded.pick([1_000, ReplicaConfig.defaults.snapshotBytes]),
  margin: seeded.pick([0, 2, 20]),
  marginBytes: seeded.pick([0, 1_000, ReplicaConfig.defaults.marginBytes]),
  compression: seeded.pick(["none", "zstd"]),
  pin: seeded.pick([Duration.seconds(1), ReplicaConfig.defaults.pin]),
  lease: seeded.pick([
    "off",
    { duration: Duration.times(heartbeat, ReplicaConfig.defaults.silence), drift: skew }
  ] as const),
  priorities: seeded.pick([{}, {}, { 2: 1 }]),
  feed: seeded.pick([0, 500, ReplicaConfig.defaults.feed]),
  followed: seeded.pick([1, ReplicaConfig.defaults.followed]),
  replays: seeded.pick([1, ReplicaConfig.defaults.replays]),
  idle: seeded.pick([Duration.millis(300), ReplicaConfig.defaults.idle])
})

/** Room for fewer sessions than there are clients, and sessions that end while their client waits. */
const brief = (seeded: Seeded.Seeded, { expiry, most }: SessionTable.Bounds): SessionTable.Bounds => ({
  most: seeded.pick([2, 4, most]),
  expiry: seeded.pick([1_000, 3_000, expiry])
})

/** A leader that says nothing for so many heartbeats is given up. */
const electionTimeout = ReplicaConfig.defaults.silence * Duration.toMillis(heartbeat)

/**
 * How much longer than an election takes a leader may be missed: what was granted last, and what those are bound by that start
 * meanwhile, by the slowest clock; in milliseconds.
 */
const leaseEnd = (config: ReplicaConfig.Values): number =>
  Math.max(0, (1 + 2 * skew) * ReplicaConfig.grant(config) - electionTimeout)

/** Short, so that a run meets many retries and many unknown outcomes; in milliseconds. */
const clientConfig = { deadline: 4_000, attempt: 500 } as const

/**
 * @since 0.1.0
 * @category models
 */
export interface Seed {
  readonly seed: number
  /** Write down what happens, for people. Default: false. */
  readonly readable?: boolean
}

/** Whichever kind of machine it is. @internal */
export const runAny = <Name extends string, Commands extends Rpc.Any, Queries extends Rpc.Any>(
  machine: Subject.Simulated<Name, Commands, Queries>,
  options: Options<Name, any, Commands, Queries> & Seed
): Outcome => {
  const world = World.make({ seed: options.seed, readable: options.readable ?? false })
  const counts = Fault.counts()
  const members = Array.from({ length: options.replicas ?? 3 }, (_, i) => NodeId.make(i + 1))
  const spec = options.quorums ?? QuorumSpec.majority
  const quorums = Either.getOrThrow(QuorumSpec.make(spec, members))
  const rates = options.faults ?? Faults.varied(Faults.rates(members.length), world.seeded.fork("rates"))
  const config = tight(world.seeded.fork("config"))
  const made = (store: SqlStore.SqlStore["Type"]): Executor.Executor =>
    Effect.runSync(
      machine.executor.pipe(
        Effect.provide([options.layer, logger(world)]),
        Effect.provideService(SqlStore.SqlStore, store)
      )
    )
  const sessions = brief(world.seeded.fork("sessions"), made(nowhere).sessions)
  const executor = (store: SqlStore.SqlStore["Type"]) => made(store).bounded(sessions)
  const values = () => executor(nowhere) as ValueExecutor.ValueExecutor
  const onTables = SqlMachine.TypeId in machine
  const subject = (tables: Pick<TableDisk.TableDisk, "store" | "bytes">): Subject.Subject<any, any> =>
    onTables ? Tables.subject(executor, tables) : Subject.ofValues(values())
  /** The machine as the model of what clients see. */
  const itself = (): Model.Model<any> =>
    onTables
      ? Model.ofSubject(machine, Tables.subject(executor, nothing))
      : Model.ofMachine(machine as StateMachine.StateMachine<Name, any, Commands, Queries>, values())
  const harsh = options.harsh ?? false
  let outcome: Finished = { answered: 0, leaders: 0, sometimes: [], slowest: [] }

  const play = (): void => {
    const network = Network.make(world, { cluster: name, maxFrameBytes: ReplicaConfig.maxFrameBytes(config), counts })
    const witness = Witness.make<any>(world, { quorums, invariant: options.invariant })
    const machines = Machines.make(world, {
      ...{ cluster: name, members, quorums: spec },
      ...{ config, network, witness, counts, subject }
    })
    const atlas = Atlas.make(members, { harsh, quorums: () => [quorums] })
    for (const one of machines.all) machines.start(one)
    const nemesis = Nemesis.make(world, { rates, atlas, members, machines, network, counts })
    const clients = Clients.start(world, {
      machine,
      workload: options.workload,
      clients: options.clients ?? 3,
      config: clientConfig,
      quorums,
      network,
      witness
    })
    const followers = Followers.start(world, {
      followers: 2,
      config: clientConfig,
      quorums,
      network,
      witness,
      queries: clients.queries
    })
    const note = (): void => {
      outcome = { answered: clients.answered(), leaders: witness.ballots(), sometimes: [], slowest: [] }
    }
    try {
      world.run((options.chaos ?? 8) * 1_000)
      const survives = atlas.survives()
      const core = atlas.core(world.seeded.fork("core"))
      const rested = world.now()
      const goal = clients.answered() + 3
      const over = nemesis.rest(core.partition)
      world.trace.event("", "rest", () => core.kind)
      const leased = leaseEnd(config)
      const settledBy = over + leased + settledWithin * electionTimeout
      if (survives) Recovery.settles(world, machines, { quorums, core, until: settledBy })
      const settled = Math.max(0, world.now() - over)
      const liveBy = rested + leased + liveWithin * electionTimeout
      if (survives) Recovery.liveAgain(world, clients, { core, goal, until: liveBy })
      const live = world.now() - rested
      clients.stop()
      // An operation may ask what became of a call, which takes as long again.
      world.run(world.now() + 3 * clientConfig.deadline, () => clients.busy() === 0)
      if (clients.busy() > 0) world.violate("calls end", `${clients.busy()} calls took more than three deadlines`)
      const ended = world.now()
      if (survives) {
        network.cut(Partition.none)
        Recovery.levels(world, machines, ended + liveWithin * electionTimeout)
        Recovery.followed(world, followers, world.now() + 3 * clientConfig.deadline)
      }
      const levelled = world.now() - ended
      world.run(world.now())
      const model = options.model ?? itself()
      const verdict = judge(world, machine.name, model, clients.history())
      note()
      const sometimes: Array<readonly [string, number]> = [
        ["a command is applied", witness.applied() > 0 ? 1 : 0],
        ["a command is sent again, and applied once", witness.repeats()],
        ["the lead changes", witness.ballots() > 1 ? 1 : 0],
        ["a leader hands over", machines.handedOver()],
        [sessionsEnd, witness.endings()],
        [resolves, clients.resolved().applied],
        [withdraws, clients.resolved().withdrawn],
        [goesOn, witness.recoveries()],
        ...(onTables ? tablesDo(machines, witness) : []),
        [liveWith(core.kind), survives ? 1 : 0],
        ["a log is trimmed", witness.trimmed() > 0 ? 1 : 0],
        ["a machine goes on from a snapshot", witness.restored()],
        ["a snapshot takes the place of a log", witness.installed()],
        ["a follower is shown commands", followers.shown().commands],
        ["a follower is shown answers to a query", followers.shown().answers],
        ["a follower is shown what is in the log only", witness.replays()],
        ["a follower asks for what is in no log any more", followers.refused()],
        ["live again within 5 election timeouts", survives && live <= 5 * electionTimeout ? 1 : 0],
        ["a history is found linearizable", verdict === "linearizable" ? 1 : 0]
      ]
      const slowest: Outcome["slowest"] = survives
        ? [
            [settledWith(core.kind, config), settled / electionTimeout],
            [liveWith(core.kind), live / electionTimeout],
            ["all replicas hold the same", levelled / electionTimeout]
          ]
        : []
      outcome = { ...outcome, sometimes, slowest }
    } finally {
      if (outcome.sometimes.length === 0) note()
    }
  }

  const violation = caught(world, () =>
    forgetting(() => Guard.guarded((error) => world.violate("no way out", error.message), play))
  )
  return {
    seed: options.seed,
    hash: world.trace.digest(),
    simulated: world.now(),
    operations: outcome.answered,
    leaders: outcome.leaders,
    faults: counts.all(rates),
    sometimes: outcome.sometimes,
    slowest: outcome.slowest,
    violation,
    lines: world.trace.lines
  }
}

/**
 * One run. Nothing of the real world takes part, so the same seed gives the same outcome, anywhere.
 *
 * @since 0.1.0
 * @category running
 */
export const run: {
  <Name extends string, State, Commands extends Rpc.Any, Queries extends Rpc.Any>(
    machine: StateMachine.StateMachine<Name, State, Commands, Queries>,
    options: Options<Name, State, Commands, Queries> & Seed
  ): Outcome
  <Name extends string, Commands extends Rpc.Any, Queries extends Rpc.Any>(
    machine: SqlMachine.SqlMachine<Name, Commands, Queries>,
    options: Options<Name, Tables.Rows, Commands, Queries> & Seed
  ): Outcome
} = runAny

const goesOn = "a write fails, and its replica goes on from what it reads"

const sessionsEnd = "a session ends while clients call"
const resolves = "an unknown outcome is asked for, and the command was applied"
const withdraws = "an unknown outcome is asked for, and the command never will be applied"

const liveWith = (core: Atlas.Kind): string => `live again with the core ${core}`

const settledWith = (core: Atlas.Kind, { lease }: ReplicaConfig.Values): string =>
  `settled with the core ${core}${lease === "off" ? "" : ", with leases"}`

/**
 * What should happen in some run of many. Three replicas know no ring.
 *
 * @since 0.1.0
 * @category properties
 */
export const sometimes = ({ replicas }: { readonly replicas: number }): ReadonlyArray<string> => [
  "a command is applied",
  "a command is sent again, and applied once",
  "the lead changes",
  "a leader hands over",
  sessionsEnd,
  resolves,
  withdraws,
  goesOn,
  ...Atlas.kinds
    .filter((kind) => kind === "whole" || kind === "quorum" || replicas >= Partition.fewest(kind))
    .map(liveWith),
  "a log is trimmed",
  "a machine goes on from a snapshot",
  "a snapshot takes the place of a log",
  "a follower is shown commands",
  "a follower is shown answers to a query",
  "a follower is shown what is in the log only",
  "a follower asks for what is in no log any more",
  "live again within 5 election timeouts",
  "a history is found linearizable"
]

/**
 * What should happen in some run of many with a machine on tables.
 *
 * @since 0.1.0
 * @category properties
 */
export const sometimesOnTables = [
  "tables lose what was not synced, and the log gives it back",
  "a machine can't write, and goes on",
  "a log is applied once more, to tables beside those of the machine"
] as const

const tablesDo = (machines: Machines.Machines, witness: Witness.Witness<any>) => {
  const [fallsBack, fails, replays] = sometimesOnTables
  const fallbacks = machines.all.reduce((sum, { tables }) => sum + tables.fallbacks(), 0)
  return [[fallsBack, fallbacks] as const, [fails, witness.failures()] as const, [replays, witness.replays()] as const]
}

/** Of a machine whose state is a value, and needs none. */
const nowhere: SqlStore.SqlStore["Type"] = {
  open: () => SqliteStore.memory(),
  apart: () => SqliteStore.memory()
}

const nothing = { store: nowhere, bytes: () => new Uint8Array(0) }

/** What handlers log is part of what happened. */
const logger = (world: World.World) =>
  Logger.replace(
    Logger.defaultLogger,
    Logger.make(({ cause, message }) =>
      world.trace.event(
        "",
        "machine",
        () => `${String(message)} ${Cause.isEmpty(cause) ? "" : String(Cause.squash(cause))}`
      )
    )
  )

interface Finished {
  readonly answered: number
  readonly leaders: number
  readonly sometimes: Outcome["sometimes"]
  readonly slowest: Outcome["slowest"]
}

const name = "simulated"

/** The violation that ended it, if one did. What breaks otherwise, such as an invariant of the protocol, is one too. */
const caught = (world: World.World, play: () => void): Violation | undefined => {
  try {
    play()
    return undefined
  } catch (error) {
    if (error instanceof Violation) return error
    const sentence = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return new Violation({ property: "no defects", sentence, time: world.now() })
  }
}
