/**
 * What other replicas reach of this one: messages of its epoch go to its acceptor and its election, what is chosen is told in whichever
 * epoch.
 *
 * ```
 *   Prepare, Accept, Fetch, Heartbeat ──► the same epoch? ── yes ──► acceptor, election ──► reply
 *                                             │ no: EpochDiffers, and if it was sent in a later one: catch up from there;
 *                                             │     a Prepare waits until this replica is in that epoch
 *   Learn ──────────────────────────────► acceptor
 *   Introduce ──────────────────────────► who this replica is
 *   FetchSnapshot ──────────────────────► snapshots
 * ```
 *
 * @since 0.1.0
 */
import { Admin, ClientRpcs, Endpoint } from "@synod/client"
import { Election, Epoch, Incarnation } from "@synod/paxos"
import type { MembershipChange, Message, NodeId } from "@synod/paxos"
import * as Effect from "effect/Effect"
import type * as AcceptorActor from "./AcceptorActor.js"
import type * as Actor from "./Actor.js"
import type * as ElectionActor from "./ElectionActor.js"
import type { EpochRoles } from "./EpochRoles.js"
import type { Introducing } from "./Introducing.js"
import { EpochDiffers, type Peer, type Sent } from "./Peers.js"
import type { Requests } from "./Requests.js"
import type { Snapshots } from "./Snapshots.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Hearing {
  readonly peer: Peer
  /** This replica is in another epoch than before. */
  readonly entered: () => void
}

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: {
  readonly self: NodeId.NodeId
  readonly roles: () => EpochRoles
  readonly acceptor: AcceptorActor.AcceptorActor
  readonly snapshots: Snapshots
  readonly requests: Requests
  readonly introducing: Pick<Introducing, "own" | "hear" | "ask">
  /** Why it could not lead now. */
  readonly trouble: () => string | undefined
  /** That node is in a later epoch. */
  readonly behind: (node: NodeId.NodeId) => void
  readonly readSlot: Peer["readSlot"]
  readonly client: Endpoint.Endpoint
}): Hearing => {
  const { acceptor, client, introducing, readSlot, requests, roles, self, snapshots } = options

  /** Asks an actor; a mailbox that is full loses the request. */
  const ask = <Input, Reply>(
    actor: Pick<Actor.Actor<Input, unknown>, "tell">,
    request: (reply: (reply: Reply) => void, refuse: (why: Endpoint.Unreachable) => void) => Input
  ) =>
    requests.ask<Reply, Endpoint.Unreachable>((answer) => {
      const refuse = (why: Endpoint.Unreachable) => answer(Effect.fail(why))
      if (!actor.tell(request((reply) => answer(Effect.succeed(reply)), refuse))) {
        refuse(new Endpoint.Unreachable({ reason: `node ${self} has too much to do`, sent: true }))
      }
    })

  const unless =
    (trouble: () => string | undefined) =>
    <A, E>(effect: Effect.Effect<A, E>) =>
      Effect.suspend((): Effect.Effect<A, E | Endpoint.Unreachable> => {
        const reason = trouble()
        return reason === undefined ? effect : new Endpoint.Unreachable({ reason, sent: false })
      })
  /** It answers for its journal: a leader that can't write is missed, and whoever can't write is no help to others. */
  const whileItVotes = unless(acceptor.trouble)
  const whileItCanLead = unless(options.trouble)

  /** A message of another epoch does nothing here. */
  const meet = ({ epoch, from }: Sent): EpochDiffers | undefined => {
    const { number } = roles().epoch
    const verdict = Epoch.judge(number, epoch)
    if (verdict === "obey") return undefined
    if (verdict === "behind") options.behind(from)
    return new EpochDiffers({ epoch: number })
  }
  const inEpoch =
    (sent: Sent) =>
    <A, E>(effect: Effect.Effect<A, E>) =>
      Effect.suspend((): Effect.Effect<A, E | EpochDiffers> => meet(sent) ?? effect)

  /** While it hears its leader it lets nobody else prepare: as if the message were lost. */
  const heeds = (message: Message.ToAcceptor): boolean =>
    message._tag !== "Prepare" || Election.heeds(roles().election.state(), message)

  /**
   * The last Prepare of each node that is in a later epoch. The leader of the last epoch prepares the next one at once, and often
   * is heard before what ends the last one is durable here: to be asked again might take an election.
   */
  const early = new Map<NodeId.NodeId, { readonly hear: () => void; readonly lose: () => void }>()

  const peer: Peer = {
    acceptor: (sent, message, answer) => {
      let open = true
      const end = (reply: Message.ToProposer | EpochDiffers | undefined): void => {
        if (open) answer(reply)
        open = false
      }
      const refuse = (why: Endpoint.Unreachable | EpochDiffers) => end(why._tag === "EpochDiffers" ? why : undefined)
      const reply = (reply: AcceptorActor.Reply) => end(reply as Message.ToProposer)
      const hear = (): void => {
        const differs = meet(sent)
        if (differs !== undefined) {
          if (message._tag !== "Prepare" || differs.epoch > sent.epoch) return end(differs)
          early.get(sent.from)?.lose()
          early.set(sent.from, { hear, lose: () => end(undefined) })
        } else if (!heeds(message) || !acceptor.tell({ message, epoch: sent.epoch, reply, refuse })) end(undefined)
      }
      hear()
      return () => void (open = false)
    },
    introduce: (introduction) =>
      Effect.sync(() => {
        introducing.hear(introduction)
        return introducing.own()
      }),
    heartbeat: (sent, message) =>
      inEpoch(sent)(
        whileItVotes(
          Effect.suspend(() =>
            ask<ElectionActor.Input, Message.HeartbeatReply>(roles().election, (reply) => ({
              ...{ _tag: "Heartbeat", message, reply }
            }))
          )
        )
      ),
    takeOver: (sent, message) =>
      inEpoch(sent)(whileItCanLead(Effect.sync(() => void roles().election.tell({ _tag: "TakeOver", message })))),
    learn: (message) =>
      ask<AcceptorActor.Request, Message.Learned | Message.Unlearnable>(acceptor, (reply, refuse) => ({
        message,
        reply: (answer) => reply(answer as Message.Learned | Message.Unlearnable),
        refuse: (why) => (why instanceof EpochDiffers ? undefined : refuse(why))
      })),
    readSlot,
    snapshot: (message) =>
      Effect.catchAll(snapshots.serve(message), ({ message: reason }) =>
        Effect.fail(new Endpoint.Unreachable({ reason, sent: true }))
      ),
    client,
    admin: {
      change: (request) =>
        Effect.gen(function* () {
          const now = roles()
          const { incarnations, membership } = now.epoch
          const strangers = request.wanted.voters.filter(
            (node) => !membership.voters.includes(node) || Incarnation.of(incarnations, node) === undefined
          )
          // Others know them by what they say now.
          const said = [introducing.own(), ...(yield* introducing.ask(strangers.filter((node) => node !== self)))]
          const known = said.map(({ incarnation, node }) => ({ node, incarnation }))
          const change = now.proposer.change({ ...request, incarnations: known })
          return yield* Effect.mapError(change, (refusal) => told(refusal, now))
        }),
      status: client.status
    }
  }
  return {
    peer,
    entered: () => {
      const waiting = [...early.values()]
      early.clear()
      for (const { hear } of waiting) hear()
    }
  }
}

/** As whoever asked for a change is told. */
const told = (
  refusal: MembershipChange.Refusal | Endpoint.Unreachable,
  { epoch, leader }: EpochRoles
): Admin.Refusal | Endpoint.Unreachable => {
  switch (refusal._tag) {
    case "Unreachable":
      return refusal
    case "NotLeading": {
      const known = leader()
      return new ClientRpcs.NotLeader(known === undefined ? {} : { leader: known })
    }
    case "OtherEpoch":
      return new Admin.OtherEpoch({ present: refusal.present })
    case "Unchanged":
      return new Admin.Unchanged({ present: epoch })
    case "Busy":
      return new Admin.Busy()
    case "Unsafe": {
      const { error } = refusal
      const sets = error._tag === "QuorumsMiss" ? { prepare: error.prepare, accept: error.accept } : {}
      return new Admin.Unsafe({ reason: error.message, ...sets })
    }
  }
}
