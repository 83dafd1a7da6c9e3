/**
 * What clients ask of a replica.
 *
 * ```
 *  client                                    replica
 *     │ ── Submit(envelope) ────────────────► │  the leader: one round of consensus, then the reply of its learner
 *     │ ◄── reply | NotLeader | Superseded ── │
 *     │ ── Query(queries) ──────────────────► │  any: asks the leader for the slot that a linearizable read must see, and
 *     │ ◄── answers | NotLeader … ─────────── │  answers once it has applied that
 *     │ ── Follow(after) ───────────────────► │  any: what came after that position, as soon as there is something
 *     │ ◄── page | FeedTrimmed … ──────────── │
 *     │ ── Status, Digest ──────────────────► │
 * ```
 *
 * @since 0.1.0
 */
import * as Rpc from "@effect/rpc/Rpc"
import * as RpcGroup from "@effect/rpc/RpcGroup"
import { Epoch } from "@synod/paxos"
import { Feed, Outcome } from "@synod/state-machine"
import * as Schema from "effect/Schema"

const Count = Schema.Int.pipe(Schema.nonNegative())

/**
 * The replica does not lead; nothing was proposed.
 *
 * @since 0.1.0
 * @category errors
 */
export class NotLeader extends Schema.TaggedError<NotLeader>("@synod/client/NotLeader")("NotLeader", {
  /** The node that leads, as far as the replica knows. */
  leader: Schema.optionalWith(Count, { exact: true })
}) {
  override get message(): string {
    return this.leader === undefined ? "No leader is known here" : `Node ${this.leader} leads`
  }
}

/**
 * The replica proposed the request and lost the lead before it was chosen. It may be chosen yet: ask the next leader with
 * the same envelope.
 *
 * @since 0.1.0
 * @category errors
 */
export class Superseded extends Schema.TaggedError<Superseded>("@synod/client/Superseded")("Superseded", {}) {
  override get message(): string {
    return "The leader was superseded before the request was decided"
  }
}

/**
 * The leader's machine has no such command, or its payload doesn't fit: nothing of the request was proposed. Without that command
 * it may come again.
 *
 * @since 0.1.0
 * @category errors
 */
export class Unfit extends Schema.TaggedError<Unfit>("@synod/client/Unfit")("Unfit", {
  /** The place of the command among those of the request, from 0: the first of its kind. */
  index: Count,
  /** The bytes of the `Answer` that says so. */
  answer: Schema.Uint8ArrayFromSelf
}) {
  override get message(): string {
    return `Command ${this.index} of the request can't be applied`
  }
}

/**
 * What a replica knows of itself.
 *
 * @since 0.1.0
 * @category models
 */
export const Status = Schema.Struct({
  /** The replica's node. */
  node: Count,
  /** The machine it runs, and the version of it. */
  machine: Schema.Struct({ name: Schema.String, version: Count }),
  /** The epoch that it is in: who takes part, and which sets of them decide. Number 0 of a replica that waits to be named. */
  epoch: Epoch.Epoch,
  /** Why it serves nobody, in one sentence: it has not joined, or has left; absent while it takes part. */
  outside: Schema.optionalWith(Schema.String, { exact: true }),
  /** What its proposer does. */
  phase: Schema.Literal("Following", "Preparing", "Leading"),
  /** The node that leads, as far as it knows. */
  leader: Schema.optionalWith(Count, { exact: true }),
  /** The ballot its acceptor has promised, as `round.node`. */
  promised: Schema.String,
  /** Its log ends here. */
  acceptedThrough: Count,
  /** Known to be chosen. */
  chosenThrough: Count,
  /** Applied to the machine. */
  appliedThrough: Count,
  /** No longer in its log but in a snapshot. */
  trimmedThrough: Count,
  /** The slot of its newest snapshot; 0 when there is none. */
  snapshotThrough: Count,
  /** Why its acceptor does not vote now, in one sentence; absent while it does. */
  trouble: Schema.optionalWith(Schema.String, { exact: true }),
  /** Why its machine applies nothing now, in one sentence; absent while it does. */
  stalled: Schema.optionalWith(Schema.String, { exact: true })
})

/**
 * @since 0.1.0
 * @category models
 */
export type Status = typeof Status.Type

/**
 * The digest of a replica's state, equal on all replicas that have applied the same slots.
 *
 * @since 0.1.0
 * @category models
 */
export const Digest = Schema.Struct({
  /** The digest is that of the state after this slot. */
  appliedThrough: Count,
  digest: Schema.String
})

/**
 * @since 0.1.0
 * @category models
 */
export type Digest = typeof Digest.Type

/**
 * Answers to queries.
 *
 * @since 0.1.0
 * @category models
 */
export const Answers = Schema.Struct({
  /** The slot after which the state was that they were taken from. */
  slot: Count,
  /** One `Answer` a query, in order; for the first of them only, at least one, if more would make the message too long. */
  answers: Schema.Array(Schema.Uint8ArrayFromSelf),
  /** Another node that leads, and could have answered a linearizable query without asking. */
  leader: Schema.optionalWith(Count, { exact: true })
})

/**
 * @since 0.1.0
 * @category models
 */
export type Answers = typeof Answers.Type

/**
 * Asks for what came after a position. Whoever has dealt with a page asks for the next one: so it sets the pace, and nothing
 * waits for it at the replica.
 *
 * @since 0.1.0
 * @category models
 */
export const Follow = Schema.Struct({
  /** The query whose answers are followed; the commands that are applied, if there is none. */
  query: Schema.optionalWith(Schema.Uint8ArrayFromSelf, { exact: true }),
  /** From now on, if there is none. */
  after: Schema.optionalWith(Feed.Position, { exact: true }),
  /** A slot that must have been applied by "now". */
  atLeast: Count,
  /** How long the replica may wait for news, in milliseconds; it may take less. */
  wait: Count,
  /** About how long the page may be, in bytes. */
  bytes: Count
})

/**
 * @since 0.1.0
 * @category models
 */
export type Follow = typeof Follow.Type

/**
 * What came after a position.
 *
 * @since 0.1.0
 * @category models
 */
export const Page = Schema.Struct({
  /** All that came by here is told; the position itself, if there was nothing. */
  through: Feed.Position,
  /** The elements, as `Feed` of the state machine writes them. */
  records: Schema.Uint8ArrayFromSelf
})

/**
 * @since 0.1.0
 * @category models
 */
export type Page = typeof Page.Type

/**
 * What each call of a client costs: these go by `Direct` of the wire.
 *
 * @since 0.1.0
 * @category groups
 */
export class CallRpcs extends RpcGroup.make(
  Rpc.make("Submit", {
    payload: {
      /** A client's packed commands, as `Envelope` of the state machine writes them. */
      envelope: Schema.Uint8ArrayFromSelf
    },
    /** The `Reply` to the envelope. */
    success: Schema.Uint8ArrayFromSelf,
    error: Schema.Union(NotLeader, Superseded, Outcome.Overloaded, Unfit)
  }),
  Rpc.make("Query", {
    payload: {
      /** Queries that are answered from one state. */
      queries: Schema.Array(Schema.Uint8ArrayFromSelf),
      /** How fresh that state must be. */
      consistency: Schema.Union(Schema.Literal("linearizable", "leased", "stale"), Schema.Struct({ atLeast: Count }))
    },
    success: Answers,
    error: Schema.Union(NotLeader, Superseded, Outcome.Overloaded)
  })
) {}

/**
 * What a client asks of a replica besides, and may stop waiting for.
 *
 * @since 0.1.0
 * @category groups
 */
export class WatchRpcs extends RpcGroup.make(
  Rpc.make("Follow", {
    payload: Follow.fields,
    success: Page,
    error: Schema.Union(NotLeader, Outcome.Overloaded, Feed.FeedTrimmed)
  }),
  Rpc.make("Status", { success: Status }),
  /** Costs the replica a walk over its whole state: for comparing replicas, not for watching them. */
  Rpc.make("Digest", { success: Digest })
) {}
