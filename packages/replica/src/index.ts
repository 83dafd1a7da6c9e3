/**
 * @since 0.1.0
 */

/** The acceptor as an actor. */
export * as AcceptorActor from "./AcceptorActor.js"

/** The one place where steps meet the world. */
export * as Actor from "./Actor.js"

/** How a replica learns what is chosen when no leader sends it. */
export * as CatchingUp from "./CatchingUp.js"

/** How pieces of snapshots are compressed. */
export * as Compression from "./Compression.js"

/** The election as an actor. */
export * as ElectionActor from "./ElectionActor.js"

/** What of a replica belongs to one epoch. */
export * as EpochRoles from "./EpochRoles.js"

/** The turn of the event loop. */
export * as EventLoop from "./EventLoop.js"

/** What a machine has to do for an entry. */
export * as Applying from "./Applying.js"

/** What a replica shows to those who follow its machine. */
export * as Feeds from "./Feeds.js"

/** The commands of a machine, and the answers to queries that are followed, as it goes on. */
export * as FeedTracks from "./FeedTracks.js"

/** How a replica comes by its membership. */
export * as Founding from "./Founding.js"

/** What clients reach of a replica. */
export * as Gateway from "./Gateway.js"

/** What other replicas reach of one. */
export * as Hearing from "./Hearing.js"

/** All replicas of a cluster in one process. */
export * as InProcess from "./InProcess.js"

/** How a replica that belongs to no epoch finds out where it stands. */
export * as Introducing from "./Introducing.js"

/** Gets a snapshot from another replica. */
export * as Installer from "./Installer.js"

/** The learner as an actor. */
export * as LearnerActor from "./LearnerActor.js"

/** Connections to the other replicas. */
export * as Links from "./Links.js"

/** Who waits for which slot. */
export * as Outcomes from "./Outcomes.js"

/** What replicas ask of each other. */
export * as PeerRpcs from "./PeerRpcs.js"

/** A replica over RPC, both ends of it. */
export * as PeerServer from "./PeerServer.js"

/** The other replicas. */
export * as Peers from "./Peers.js"

/** How far a restart is. */
export * as Progress from "./Progress.js"

/** The proposer as an actor. */
export * as ProposerActor from "./ProposerActor.js"

/** From which slot on a linearizable read may be answered. */
export * as ReadSlots from "./ReadSlots.js"

/** One replica of a machine. */
export * as Replica from "./Replica.js"

/** Applies a stretch of the log once more, for those who follow. */
export * as Replay from "./Replay.js"

/** Shows to those who follow what is in the log only. */
export * as Replays from "./Replays.js"

/** A replica's bounds and times. */
export * as ReplicaConfig from "./ReplicaConfig.js"

/** What others wait for from a replica. */
export * as Requests from "./Requests.js"

/** One replica inside an app. */
export * as Single from "./Single.js"

/** The snapshots of a replica. */
export * as Snapshots from "./Snapshots.js"

/** One replica a process, joined over TCP. */
export * as Socket from "./Socket.js"
