/**
 * What clients reach of a replica: commands go to the proposer, queries are answered from the machine once it is as new as
 * they ask.
 *
 * ```
 *   Submit ──► gateway ── leads? ──► proposer … learner ──► reply
 *   Follow ──►    │ ── feeds, replays ──► page
 *   Query  ──►    │ ── linearizable, leased ──► the slot to read from ──┐
 *                 │ ── at least a slot, stale ──────────────────────────┴─► learner has reached it ──► answers from one state
 * ```
 *
 * @since 0.1.0
 */
import { ClientRpcs, Endpoint } from "@synod/client"
import { Journal } from "@synod/journal"
import { Slot } from "@synod/paxos"
import type { NodeId } from "@synod/paxos"
import { Answer, Envelope, type Machine, Outcome, Reply } from "@synod/state-machine"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Scope from "effect/Scope"
import type * as LearnerActor from "./LearnerActor.js"
import { Peers } from "./Peers.js"
import type * as ProposerActor from "./ProposerActor.js"
import * as ReadSlots from "./ReadSlots.js"
import * as ReplicaConfig from "./ReplicaConfig.js"
import type { Requests } from "./Requests.js"

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  machine: Machine.Machine,
  options: {
    readonly learner: LearnerActor.LearnerActor
    /** That of the epoch in force. */
    readonly proposer: () => ProposerActor.ProposerActor
    readonly requests: Requests
    readonly follow: Endpoint.Endpoint["follow"]
    /** The slot to read from, while this replica leads; `leased` if its lease will do. */
    readonly readSlot: (leased: boolean) => Effect.Effect<Slot.Slot, ReadSlots.Failure>
    /** The node that leads, as far as the election knows. */
    readonly leader: () => NodeId.NodeId | undefined
    readonly status: Effect.Effect<ClientRpcs.Status>
    readonly digest: Effect.Effect<ClientRpcs.Digest, Endpoint.Unreachable>
  }
): Effect.Effect<Endpoint.Endpoint, never, Journal.Journal | Peers | Scope.Scope> =>
  Effect.gen(function* () {
    const { digest, follow, leader, learner, proposer, readSlot: own, requests, status } = options
    const { recovered } = yield* Journal.Journal
    const peers = yield* Peers
    const config = yield* ReplicaConfig.ReplicaConfig

    const longest = ReplicaConfig.longestReply(config)
    const answer = (query: Uint8Array): Either.Either<Uint8Array, Machine.MachineFailed> =>
      Either.map(machine.query(query), (bytes) =>
        bytes.length <= longest
          ? bytes
          : Answer.defect(
              "The query",
              `its answer is ${bytes.length} bytes long, more than the ${longest} that are allowed`
            )
      )
    /** All from one state. As many as fit into one message; the client asks for the rest again. */
    const answers = (
      queries: ReadonlyArray<Uint8Array>,
      leader?: NodeId.NodeId
    ): Either.Either<ClientRpcs.Answers, Endpoint.Unreachable> => {
      const fitting: Array<Uint8Array> = []
      let size = 0
      for (const query of queries) {
        const bytes = answer(query)
        if (Either.isLeft(bytes)) {
          return Either.left(new Endpoint.Unreachable({ reason: bytes.left.message, sent: false }))
        }
        size += bytes.right.length
        if (size > config.chunk && fitting.length > 0) break
        fitting.push(bytes.right)
      }
      const others = leader === undefined || leader === peers.self ? {} : { leader }
      return Either.right({ slot: learner.through(), answers: fitting, ...others })
    }

    /** A request that would be in vain isn't proposed. What is decoded to see so needs not be decoded again to be applied here. */
    const propose = (bytes: Uint8Array) => {
      const envelope = Envelope.decode(bytes)
      if (Either.isLeft(envelope)) return Effect.succeed(Reply.encode(Reply.refused(envelope.left.message)))
      const decoded: Array<Machine.Decoded> = []
      for (const command of envelope.right._tag === "Call" ? envelope.right.commands : []) {
        const read = machine.decode(command)
        if (Either.isLeft(read)) return Effect.fail(new ClientRpcs.Unfit({ index: decoded.length, answer: read.left }))
        decoded.push(read.right)
      }
      return proposer().submit(bytes, decoded)
    }

    const slots = {
      self: peers.self,
      requests,
      isLeading: () => proposer().state()._tag === "Leading",
      leader,
      patience: Duration.times(Duration.decode(config.heartbeat), config.silence)
    }
    const readSlot = {
      linearizable: yield* ReadSlots.make({
        ...slots,
        own: own(false),
        ask: (node) => peers.peer(node).readSlot(false)
      }),
      leased: yield* ReadSlots.make({ ...slots, own: own(true), ask: (node) => peers.peer(node).readSlot(true) })
    }
    const confirmed = (queries: ReadonlyArray<Uint8Array>, kind: "linearizable" | "leased") =>
      Effect.flatMap(readSlot[kind], ({ leader, slot }) =>
        Effect.flatMap(learner.reached(slot), () => answers(queries, leader))
      )
    /** The lease is looked at again when the answer is there: a leader that was paused meanwhile has it confirmed after all. */
    const leased = (queries: ReadonlyArray<Uint8Array>) =>
      Effect.suspend(() => {
        const slot = proposer().leased()
        if (slot === undefined) return confirmed(queries, "leased")
        return Effect.flatMap(learner.reached(slot), () => {
          const told = answers(queries)
          return proposer().leased() === undefined ? confirmed(queries, "linearizable") : told
        })
      })

    let waiting = 0
    const bounded = <A, E>(query: Effect.Effect<A, E>): Effect.Effect<A, E | Outcome.Overloaded> =>
      Effect.suspend((): Effect.Effect<A, E | Outcome.Overloaded> => {
        if (waiting >= config.waitingReads) {
          return Effect.fail(new Outcome.Overloaded({ retryAfter: Duration.decode(config.retryAfter) }))
        }
        waiting++
        return Effect.ensuring(
          query,
          Effect.sync(() => void waiting--)
        )
      })

    return {
      submit: (envelope) => {
        if (envelope.length > config.envelope) {
          const reason = `the request is ${envelope.length} bytes long, more than the ${config.envelope} that are allowed`
          return Effect.succeed(Reply.encode(Reply.refused(reason)))
        }
        // First, since it costs little: what there is no room for isn't looked into. And who doesn't lead may be of another
        // version than the one that does.
        const refused = proposer().refusal(envelope.length)
        return refused !== undefined ? Effect.fail(refused) : propose(envelope)
      },
      query: (queries, consistency) =>
        bounded(
          consistency === "linearizable"
            ? confirmed(queries, "linearizable")
            : consistency === "leased"
              ? leased(queries)
              : Effect.flatMap(
                  // A replica that has just started doesn't show how things were before.
                  learner.reached(
                    Slot.max(
                      recovered.chosenThrough,
                      consistency === "stale" ? Slot.zero : Slot.make(consistency.atLeast)
                    )
                  ),
                  () => answers(queries)
                )
        ),
      follow,
      status,
      digest
    }
  })
