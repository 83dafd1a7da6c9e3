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
import { type Membership, NodeId, QuorumSpec } from "@synod/paxos"
import { Compression, ReplicaConfig } from "@synod/replica"
import type { SqlMachine } from "@synod/sql-machine"
import type { StateMachine } from "@synod/state-machine"
import * as Effect from "effect/Effect"
import * as Atlas from "./Atlas.js"
import * as Clients from "./Clients.js"
import * as Followers from "./Followers.js"
import * as Fault from "./Fault.js"
import * as Guard from "./Guard.js"
import * as Chronicle from "./internal/chronicle.js"
import { judge } from "./internal/judge.js"
import * as Recovery from "./internal/recovery.js"
import { forgetting } from "./internal/roots.js"
import * as WorldMachine from "./internal/worldMachine.js"
import * as Report from "./internal/worldReport.js"
import { clientConfig, electionTimeout, leaseEnd, tight } from "./internal/worldSetting.js"
import * as Machines from "./Machines.js"
import type * as Model from "./Model.js"
import * as Nemesis from "./Nemesis.js"
import * as Network from "./Network.js"
import * as Partition from "./Partition.js"
import type * as Seeded from "./Seeded.js"
import type { Outcome } from "./Tier.js"
import type * as Subject from "./Subject.js"
import type * as Tables from "./Tables.js"
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

// Nothing in a simulated world waits for the world outside.
await Effect.runPromise(Compression.load)

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
  const replicas = options.replicas ?? 3
  const rates = options.faults ?? Faults.varied(Faults.rates(replicas), world.seeded.fork("rates"))
  const changes = (rates.reconfigure ?? 0) > 0
  // Those who may join come behind the founders.
  const members = Array.from({ length: replicas + (changes ? spares : 0) }, (_, i) => NodeId.make(i + 1))
  const quorums = options.quorums ?? QuorumSpec.majority
  const founders: Membership.Membership = { voters: members.slice(0, replicas), learners: [], quorums }
  const config = tight(world.seeded.fork("config"))
  const { model, onTables, subject } = WorldMachine.make(world, machine, options.layer)
  const harsh = options.harsh ?? false
  let outcome: Finished = { answered: 0, leaders: 0, sometimes: [], slowest: [] }

  const play = (): void => {
    const network = Network.make(world, { cluster: name, maxFrameBytes: ReplicaConfig.maxFrameBytes(config), counts })
    const epochs = Chronicle.make(founders)
    const witness = Witness.make<any>(world, { epochs, invariant: options.invariant })
    const machines = Machines.make(world, {
      ...{ cluster: name, nodes: members, founders },
      ...{ config, network, witness, counts, subject }
    })
    const atlas = Atlas.make(members, {
      harsh,
      begun: () => founders.voters.some((node) => witness.epochOf(node) > 0),
      quorums: () => epochs.inForce(witness.epochOf)
    })
    for (const one of machines.all) machines.start(one)
    const nemesis = Nemesis.make(world, { rates, atlas, members, machines, network, counts })
    const clients = Clients.start(world, {
      machine,
      workload: options.workload,
      clients: options.clients ?? 3,
      config: clientConfig,
      nodes: members,
      network,
      witness
    })
    const followers = Followers.start(world, {
      followers: 2,
      config: clientConfig,
      nodes: members,
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
      const core = coreOf(atlas, world.seeded.fork("core"), changes)
      const rested = world.now()
      const goal = clients.answered() + 3
      const over = nemesis.rest(core.partition)
      world.trace.event("", "rest", () => core.kind)
      const leased = leaseEnd(config)
      // Whoever is behind learns first that there is another epoch.
      const within = epochs.memberships.length > 1 ? liveWithin : settledWithin
      const settledBy = over + leased + within * electionTimeout
      const expected = { core, survives: atlas.survives }
      const mended = { core: { ...core, partition: Partition.none }, survives: atlas.survives }
      if (survives) Recovery.settles(world, machines, { ...expected, epochs, until: settledBy })
      const settled = Math.max(0, world.now() - over)
      const liveBy = rested + leased + liveWithin * electionTimeout
      if (survives) Recovery.liveAgain(world, clients, { ...expected, goal, until: liveBy })
      const live = world.now() - rested
      clients.stop()
      // An operation may ask what became of a call, which takes as long again.
      world.run(world.now() + 3 * clientConfig.deadline, () => clients.busy() === 0)
      if (clients.busy() > 0) world.violate("calls end", `${clients.busy()} calls took more than three deadlines`)
      const ended = world.now()
      if (survives) {
        network.cut(Partition.none)
        Recovery.levels(world, machines, epochs, ended + liveWithin * electionTimeout)
        Recovery.followed(world, followers, world.now() + 3 * clientConfig.deadline)
      }
      const levelled = world.now() - ended
      // A machine that is gone for good answers nobody, and takes whoever asks it first the time of an attempt.
      if (survives && machines.all.every(({ lost }) => !lost)) {
        // What stood still goes on.
        world.run(Math.max(over, world.now()))
        // The last change of members may have ended only now, and its epoch has no leader yet.
        Recovery.settles(world, machines, { ...mended, epochs, until: world.now() + liveWithin * electionTimeout })
        Recovery.prompt(world, clients, world.now() + 3 * clientConfig.deadline)
      }
      world.run(world.now())
      const verdict = judge(world, machine.name, options.model ?? model(), clients.history())
      note()
      const sometimes = Report.happened({
        changes: epochs.memberships.length - 1,
        clients,
        core: core.kind,
        followers,
        live,
        machines,
        onTables,
        survives,
        verdict,
        witness
      })
      const slowest: Outcome["slowest"] = survives
        ? [
            [Report.settledWith(core.kind, config), settled / electionTimeout],
            [Report.liveWith(core.kind), live / electionTimeout],
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

/** Machines that may join, where members change. */
const spares = 1

/** Nothing stays cut where members change: those of the next epoch may be on the other side. */
const coreOf = (atlas: Atlas.Atlas, seeded: Seeded.Seeded, changes: boolean): Atlas.Core =>
  changes ? { kind: "whole", nodes: atlas.left(), partition: Partition.none } : atlas.core(seeded)

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
