/**
 * @since 0.1.0
 */

/** Which nodes may be harmed, and who is left in the end. */
export * as Atlas from "./Atlas.js"

/** What is chosen, as quorums of votes say. */
export * as BallotBox from "./BallotBox.js"

/** Simulated clients, and what they saw. */
export * as Clients from "./Clients.js"

/** Whole clusters of the protocol's plain steps in simulated time. */
export * as CoreCluster from "./CoreCluster.js"

/** Our own protocol, for the model checker. */
export * as CoreModel from "./CoreModel.js"

/** The functions that a simulated node of the core tier runs. */
export * as CoreSteps from "./CoreSteps.js"

/** The core tier. */
export * as CoreTier from "./CoreTier.js"

/** A disk that fails. */
export * as Disk from "./Disk.js"

/** A journal on a simulated disk. */
export * as DiskJournal from "./DiskJournal.js"

/** What may go wrong, how often, and how often it did. */
export * as Fault from "./Fault.js"

/** Simulated followers of what is applied. */
export * as Followers from "./Followers.js"

/** Keeps the real world out of a simulated one. */
export * as Guard from "./Guard.js"

/** What clients saw. */
export * as History from "./History.js"

/** Whether one machine could have done it, one operation after the other. */
export * as Linearizability from "./Linearizability.js"

/** One direction between two processes. */
export * as Link from "./Link.js"

/** The machines of a simulated site. */
export * as Machines from "./Machines.js"

/** What a history is checked against. */
export * as Model from "./Model.js"

/** Everything that can happen. */
export * as ModelCheck from "./ModelCheck.js"

/** Models of the machines that are most often tested. */
export * as Models from "./Models.js"

/** Brings about what goes wrong. */
export * as Nemesis from "./Nemesis.js"

/** Both ends of an RPC protocol, over links that fail. */
export * as Network from "./Network.js"

/** Which links carry messages. */
export * as Partition from "./Partition.js"

/** A process of a simulated world. */
export * as Process from "./Process.js"

/** The yardstick of the model checker. */
export * as ReferencePaxos from "./ReferencePaxos.js"

/** Clusters of registers in simulated time. */
export * as RegisterCluster from "./RegisterCluster.js"

/** One register, for the model checker. */
export * as RegisterModel from "./RegisterModel.js"

/** The tier of registers. */
export * as RegisterTier from "./RegisterTier.js"

/** A machine of named registers. */
export * as Registers from "./Registers.js"

/** Quorum systems for simulated clusters. */
export * as QuorumSpecs from "./QuorumSpecs.js"

/** One run of a machine in a simulated world. */
export * as Run from "./Run.js"

/** Many seeds of a tier, and one report of them. */
export * as Runs from "./Runs.js"

/** Chance, from a seed. */
export * as Seeded from "./Seeded.js"

/** From a history that has no order to the few operations that show it. */
export * as Shrink from "./Shrink.js"

/** A test that runs a machine in simulated worlds. */
export * as Simulation from "./Simulation.js"

/** The machine of registers on SQL tables. */
export * as SqlRegisters from "./SqlRegisters.js"

/** A machine whose states are values, wherever it keeps them. */
export * as Subject from "./Subject.js"

/** Where machines on tables keep them, and what a crash leaves. */
export * as TableDisk from "./TableDisk.js"

/** Machines on tables, and copies of them. */
export * as Tables from "./Tables.js"

/** A way to simulate. */
export * as Tier from "./Tier.js"

/** Pictures of a history. */
export * as Timeline from "./Timeline.js"

/** What happened in a run. */
export * as Trace from "./Trace.js"

/** The hash of everything that happened. */
export * as TraceHash from "./TraceHash.js"

/** Stories of the protocol as text. */
export * as Transcript from "./Transcript.js"

/** A property that does not hold. */
export * as Violation from "./Violation.js"

/** Judges what replicas write and apply. */
export * as Witness from "./Witness.js"

/** A seeded loop, and its clock. */
export * as World from "./World.js"

/** How often things go wrong in a world. */
export * as WorldFaults from "./WorldFaults.js"

/** Whole replicas, for the command line. */
export * as WorldTier from "./WorldTier.js"
