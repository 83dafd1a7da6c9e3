/**
 * What proposers and acceptors say to each other, and what replicas say to find out who should lead.
 *
 * ```
 *  proposer                              acceptor
 *     │ ── Prepare ───────────────────────► │   phase 1, once for all later slots
 *     │ ◄── Promise | Rejected ──────────── │
 *     │ ── Fetch ─────────────────────────► │   what the proposer lacks of a log it adopts or must hand on
 *     │ ◄── Fetched | Trimmed | Rejected ── │
 *     │ ── Accept ────────────────────────► │   phase 2, synchronising, catching up: all the same message
 *     │ ◄── Accepted | Rejected ─────────── │
 *     │ ── Behind ────────────────────────► │   what the acceptor lacks is in snapshots only
 *     │ ◄── Rejected ────────────────────── │
 *
 *  acceptor, behind                      acceptor with a snapshot
 *     │ ── FetchSnapshot ─────────────────► │   piece by piece, at the pace of the one who asks
 *     │ ◄── SnapshotChunk | NoSnapshot | Rejected
 *
 *  replica, in an earlier epoch          replica
 *     │ ── Learn ─────────────────────────► │   what is chosen, until it comes to the stop sign
 *     │ ◄── Learned | Unlearnable ───────── │
 *
 *  election                              election
 *     │ ── Heartbeat ─────────────────────► │
 *     │ ◄── HeartbeatReply ──────────────── │
 *     │ ── TakeOver ──────────────────────► │   from a leader that hands over
 * ```
 *
 * Messages may be lost, repeated, delayed and reordered.
 *
 * @since 0.1.0
 */
export * from "./ElectionMessage.js"
export * from "./LessonMessage.js"
export * from "./MessageText.js"
export * from "./SnapshotMessage.js"
export * from "./VotingMessage.js"
