/**
 * @since 0.1.0
 */

/** What an acceptor holds, is given, and asks for. */
export * as Accepting from "./Accepting.js"

/** The memory of the cluster: promises, accepts, refuses. */
export * as Acceptor from "./Acceptor.js"

/** What holds of every step of an acceptor. */
export * as AcceptorInvariants from "./AcceptorInvariants.js"

/** Proposal numbers. */
export * as Ballot from "./Ballot.js"

/** What an acceptor knows to be chosen. */
export * as Chosen from "./Chosen.js"

/** What an acceptor must never forget. */
export * as Durable from "./Durable.js"

/** Who should lead. */
export * as Election from "./Election.js"

/** What a slot holds. */
export * as Entry from "./Entry.js"

/** A membership in force, and those before it. */
export * as Epoch from "./Epoch.js"

/** What a leader knows of an acceptor. */
export * as Follower from "./Follower.js"

/** How founders come to vote. */
export * as Founders from "./Founders.js"

/** Which journal speaks for a node. */
export * as Incarnation from "./Incarnation.js"

/** What must hold whatever happens. */
export * as Invariant from "./Invariant.js"

/** A proposer that leads. */
export * as Leader from "./Leader.js"

/** The state of a proposer that leads. */
export * as Leading from "./Leading.js"

/** Hands chosen entries to the state machine. */
export * as Learner from "./Learner.js"

/** For how long a leader may answer reads without asking anybody. */
export * as Lease from "./Lease.js"

/** What is chosen, from replica to replica. */
export * as Lessons from "./Lessons.js"

/** A run of consecutive entries. */
export * as Log from "./Log.js"

/** Who takes part in an epoch. */
export * as Membership from "./Membership.js"

/** When a leader may end its epoch. */
export * as MembershipChange from "./MembershipChange.js"

/** What nodes say to each other. */
export * as Message from "./Message.js"

/** Numbers of voters. */
export * as NodeId from "./NodeId.js"

/** The proposer of a node. */
export * as Proposer from "./Proposer.js"

/** What a proposer is given, and what it asks for. */
export type * as Proposing from "./Proposing.js"

/** Which sets of nodes may decide. */
export * as Quorum from "./Quorum.js"

/** What a quorum system is worth for given members. */
export * as QuorumPlanner from "./QuorumPlanner.js"

/** A quorum system as data. */
export * as QuorumSpec from "./QuorumSpec.js"

/** The rule that makes a quorum system safe. */
export * as QuorumRule from "./QuorumRule.js"

/** A quorum system as roles see it. */
export * as QuorumSystem from "./QuorumSystem.js"

/** Values that are written once. */
export * as Register from "./Register.js"

/** The memory of a register. */
export * as RegisterAcceptor from "./RegisterAcceptor.js"

/** What follows from what acceptors of a register hold. */
export * as RegisterEvidence from "./RegisterEvidence.js"

/** What proposers and acceptors of a register say to each other. */
export * as RegisterMessage from "./RegisterMessage.js"

/** Has a register decided, or reads it. */
export * as RegisterProposer from "./RegisterProposer.js"

/** In which round a proposer of a register should try. */
export * as RegisterRound from "./RegisterRound.js"

/** What a leader sends to each acceptor. */
export * as Replication from "./Replication.js"

/** Positions in the log. */
export * as Slot from "./Slot.js"

/** What the acceptors of a register hold, as a table. */
export * as StateTable from "./StateTable.js"

/** The shape that all roles share. */
export * as Step from "./Step.js"
