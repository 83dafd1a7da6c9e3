/**
 * What operators ask of a cluster: who takes part in it, and that others do from now on.
 *
 * ```
 *   operator                                  leader
 *      │ ── ChangeMembership(expect, wanted) ──► │  puts a stop sign into the log: the wanted membership, or one in which those
 *      │ ◄── the next membership | refusal ───── │  learn first who are to vote
 *      │ ── again, with the epoch that began ──► │  until the wanted membership is in force
 * ```
 *
 * @since 0.1.0
 */
import * as Rpc from "@effect/rpc/Rpc"
import * as RpcClient from "@effect/rpc/RpcClient"
import * as RpcGroup from "@effect/rpc/RpcGroup"
import { Epoch, Membership, MembershipChange, NodeId } from "@synod/paxos"
import { RpcOptions, Tcp } from "@synod/wire"
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { NotLeader, Status } from "./ClientRpcs.js"
import { type Unreachable, unreachable } from "./Endpoint.js"

const Nodes = Schema.Array(NodeId.NodeId)

/**
 * Another epoch is in force than was expected: somebody else has changed the membership, or the same request was made before.
 *
 * @since 0.1.0
 * @category errors
 */
export class OtherEpoch extends Schema.TaggedError<OtherEpoch>("@synod/client/OtherEpoch")("OtherEpoch", {
  /** The one that is in force, as far as the replica knows. */
  present: Epoch.Epoch
}) {
  override get message(): string {
    return `Epoch ${this.present.number} is in force: ${format(this.present.membership)}`
  }
}

/**
 * The membership is what is wanted.
 *
 * @since 0.1.0
 * @category errors
 */
export class Unchanged extends Schema.TaggedError<Unchanged>("@synod/client/Unchanged")("Unchanged", {
  present: Epoch.Epoch
}) {
  override get message(): string {
    return `The membership is what is wanted: ${format(this.present.membership)}`
  }
}

/**
 * Another change is under way, or the leader has only just come up, or nodes that are to vote don't keep up yet: soon it may be
 * possible.
 *
 * @since 0.1.0
 * @category errors
 */
export class Busy extends Schema.TaggedError<Busy>("@synod/client/Busy")("Busy", {}) {
  override get message(): string {
    return "Another change is under way, or nodes that are to vote don't keep up yet"
  }
}

/**
 * The wanted membership makes no sense, or its quorums are not safe.
 *
 * @since 0.1.0
 * @category errors
 */
export class Unsafe extends Schema.TaggedError<Unsafe>("@synod/client/Unsafe")("Unsafe", {
  reason: Schema.String,
  /** Two sets of nodes that miss each other, each of which could decide; absent if it makes no sense for another reason. */
  prepare: Schema.optionalWith(Nodes, { exact: true }),
  accept: Schema.optionalWith(Nodes, { exact: true })
}) {
  override get message(): string {
    return this.reason
  }
}

/**
 * A change that is asked for: any of voters, learners and quorum system, all at once.
 *
 * @since 0.1.0
 * @category models
 */
export const Request = Schema.Struct({
  /** The number of the epoch that is in force, as far as whoever asks knows: a request that is late or repeated changes nothing. */
  expect: Schema.Int.pipe(Schema.nonNegative()),
  wanted: Membership.Membership
})

/**
 * @since 0.1.0
 * @category models
 */
export type Request = typeof Request.Type

/**
 * Why a replica proposes nothing.
 *
 * @since 0.1.0
 * @category models
 */
export const Refusal = Schema.Union(NotLeader, OtherEpoch, Unchanged, Busy, Unsafe)

/**
 * @since 0.1.0
 * @category models
 */
export type Refusal = typeof Refusal.Type

/**
 * One step of a change, proposed by the replica that leads.
 *
 * @since 0.1.0
 * @category groups
 */
export class ChangeRpcs extends RpcGroup.make(
  Rpc.make("ChangeMembership", {
    payload: Request,
    /** The membership that was proposed: the wanted one, or a step towards it. It is not in force yet. */
    success: Membership.Membership,
    error: Refusal
  })
) {}

/**
 * One replica as an operator sees it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Endpoint {
  readonly change: (request: Request) => Effect.Effect<Membership.Membership, Refusal | Unreachable>
  readonly status: Effect.Effect<Status, Unreachable>
}

/**
 * Speaks {@link ChangeRpcs} over whichever protocol the environment has.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromRpc: Effect.Effect<Endpoint, never, RpcClient.Protocol | Scope.Scope> = Effect.map(
  RpcClient.make(ChangeRpcs.add(Rpc.make("Status", { success: Status })), RpcOptions.client),
  (client): Endpoint => ({
    change: (request) => unreachable(client.ChangeMembership(request)),
    status: unreachable(client.Status())
  })
)

/**
 * A change did not come to its end in time. It may yet, or stay where it is: nodes that learn go on to learn. Asked for again, with
 * the epoch that is in force by then, it goes on from there.
 *
 * @since 0.1.0
 * @category errors
 */
export class ChangeUnfinished extends Data.TaggedError("ChangeUnfinished")<{
  /** The last epoch of the change that is known to be in force. */
  readonly present: Epoch.Epoch
  /** A step was proposed, or may have been, of which it is not known what became. */
  readonly unsure: boolean
  /** What the last replica that was asked said. */
  readonly reason: string
}> {
  override get message(): string {
    const { present, reason, unsure } = this
    const known = `The change is not at its end. Epoch ${present.number} is in force: ${format(present.membership)}`
    return `${known}${unsure ? ", or one behind it" : ""}. The last replica that was asked said: ${reason}`
  }
}

/**
 * No replica told which epoch is in force; nothing was asked for.
 *
 * @since 0.1.0
 * @category errors
 */
export class NobodyAnswers extends Data.TaggedError("NobodyAnswers")<{ readonly reason: string }> {
  override get message(): string {
    return `No replica says which epoch is in force: ${this.reason}`
  }
}

/**
 * @since 0.1.0
 * @category models
 */
export type Failure = OtherEpoch | Unchanged | Unsafe | ChangeUnfinished | NobodyAnswers

/**
 * @since 0.1.0
 * @category models
 */
export interface Admin {
  /** The epoch that is in force: the latest that any replica knows of which answers. */
  readonly epoch: Effect.Effect<Epoch.Epoch, NobodyAnswers>
  /**
   * Has others take part from now on, and waits until they do. Whoever leads is found, and found again; new voters learn first. A
   * replica whose node is new must run, and ask this cluster to join it.
   */
  readonly changeMembership: (
    request: Request,
    options?: {
      /** How long it may take. Default: {@link patience}. */
      readonly timeout?: Duration.DurationInput
    }
  ) => Effect.Effect<Epoch.Epoch, Failure>
}

/**
 * How long a change may take unless somebody says otherwise: 1 minute, in which a new replica copies some gigabytes.
 *
 * @since 0.1.0
 * @category constants
 */
export const patience = Duration.minutes(1)

/** Whoever was told to wait, or proposed a step, asks again after so long: a step takes a few round trips. */
const pause = Duration.millis(50)

/** How long one replica may take to answer. */
const attempt = Duration.seconds(2)

/**
 * An operator of the replicas that `endpoints` gives, by node; asked each time, since a change brings others.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (endpoints: () => ReadonlyMap<number, Endpoint>): Admin => {
  const statusOf = (endpoint: Endpoint) =>
    Effect.either(
      Effect.timeoutFail(endpoint.status, { duration: attempt, onTimeout: () => ({ message: "it is silent" }) })
    )

  const epoch = Effect.gen(function* () {
    const answers = yield* Effect.forEach(endpoints().values(), statusOf, { concurrency: "unbounded" })
    let latest: Epoch.Epoch | undefined
    let reason = "no replica is known"
    for (const answer of answers) {
      if (answer._tag === "Left") reason = answer.left.message
      else if (answer.right.epoch.number > (latest?.number ?? 0)) latest = answer.right.epoch
    }
    return latest ?? (yield* new NobodyAnswers({ reason }))
  })

  const changeMembership: Admin["changeMembership"] = Effect.fn("Admin.changeMembership")(function* (
    { expect, wanted },
    { timeout = patience } = {}
  ) {
    const end = (yield* Clock.currentTimeMillis) + Duration.toMillis(timeout)
    let present = yield* epoch
    if (present.number !== expect) return yield* new OtherEpoch({ present })
    let asked: number | undefined
    let unsure = false
    let reason = "no replica was asked"
    for (;;) {
      if ((yield* Clock.currentTimeMillis) >= end) return yield* new ChangeUnfinished({ present, unsure, reason })
      const all = endpoints()
      const nodes = Array.from(all.keys())
      const node = asked !== undefined && all.has(asked) ? asked : nodes[0]
      const endpoint = node === undefined ? undefined : all.get(node)
      if (node === undefined || endpoint === undefined) return yield* new NobodyAnswers({ reason })
      asked = node
      const next = nodes[(nodes.indexOf(node) + 1) % nodes.length]!
      const answer = yield* Effect.either(
        Effect.timeoutFail(endpoint.change({ expect: present.number, wanted }), {
          duration: attempt,
          onTimeout: () => ({ _tag: "Silent" as const, message: `node ${node} did not answer in time` })
        })
      )
      if (answer._tag === "Right") {
        unsure = true
        reason = "a step was proposed"
        yield* Effect.sleep(pause)
        continue
      }
      const refusal = answer.left
      reason = refusal.message
      switch (refusal._tag) {
        case "Unsafe":
        case "Unchanged":
          return yield* refusal
        case "Busy":
          break
        case "NotLeader":
          asked =
            refusal.leader !== undefined && all.has(refusal.leader) && refusal.leader !== node ? refusal.leader : next
          break
        case "Unreachable":
          unsure ||= refusal.sent
          asked = next
          break
        case "Silent":
          unsure = true
          asked = next
          break
        case "OtherEpoch": {
          const { number, membership } = refusal.present
          if (number <= present.number) {
            // It leads an epoch that is over, and will hear of it.
            asked = next
            break
          }
          if (!MembershipChange.leadsTo(present.membership, wanted, membership)) return yield* refusal
          present = refusal.present
          unsure = false
          if (Membership.equals(membership, wanted)) return present
          continue
        }
      }
      yield* Effect.sleep(pause)
    }
  })

  return { epoch, changeMembership }
}

/**
 * An operator of replicas that are reached over TCP: those that are there, and where new ones are to join, those too. Keeps
 * connections to them for as long as the scope is open.
 *
 * @since 0.1.0
 * @category constructors
 */
export const tcp = (options: {
  readonly cluster: string
  /** Where the replicas are, by node. */
  readonly servers: Readonly<Record<number, { readonly host: string; readonly port: number }>>
}): Effect.Effect<Admin, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { cluster, servers } = options
    const endpoints = yield* Effect.forEach(
      Object.entries(servers),
      ([node, { host, port }]) =>
        fromRpc.pipe(
          Effect.provideServiceEffect(RpcClient.Protocol, Tcp.clientProtocol({ cluster, host, port })),
          Effect.map((endpoint) => [Number(node), endpoint] as const)
        ),
      { concurrency: "unbounded" }
    )
    const all = new Map(endpoints)
    return make(() => all)
  })

/**
 * A membership as people read it, such as `voters 1, 2, 3, learner 4, majority`.
 *
 * @since 0.1.0
 * @category getters
 */
export const format = ({ learners, quorums, voters }: Membership.Membership): string => {
  const named = (kind: string, nodes: ReadonlyArray<number>) =>
    nodes.length === 0 ? [] : [`${kind}${nodes.length === 1 ? "" : "s"} ${nodes.join(", ")}`]
  const { _tag, ...sizes } = quorums
  const settings = Object.keys(sizes).length === 0 ? "" : ` ${JSON.stringify(sizes)}`
  return [...named("voter", voters), ...named("learner", learners), `quorums ${_tag}${settings}`].join(", ")
}
