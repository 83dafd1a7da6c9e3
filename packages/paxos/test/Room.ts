/** A few acceptors and proposers at one table: every message is delivered at once, if it reaches anybody. */
import { Acceptor, Ballot, Log, Proposer, Quorum } from "@synod/paxos"
import type { Message, NodeId } from "@synod/paxos"
import { Either } from "effect"
import { ballot, durable, entries, letters, node, say, slot } from "./Story.js"

type Sent =
  | {
      readonly to: NodeId.NodeId
      readonly from: NodeId.NodeId
      readonly message: Message.ToAcceptor
      readonly asks: true
    }
  | {
      readonly to: NodeId.NodeId
      readonly from: NodeId.NodeId
      readonly message: Message.ToProposer
      readonly asks: false
    }

export class Room {
  readonly members: ReadonlyArray<NodeId.NodeId>
  private readonly quorums: Quorum.QuorumSystem
  private readonly acceptors = new Map<NodeId.NodeId, Acceptor.State>()
  private readonly proposers = new Map<NodeId.NodeId, Proposer.State>()
  /** Who takes part. */
  online: ReadonlySet<number>
  /** Refusals, as they were said. */
  readonly refused: Array<string> = []

  constructor(size: number) {
    this.members = Array.from({ length: size }, (_, i) => node(i + 1))
    this.quorums = Either.getOrThrow(Quorum.majority(this.members))
    this.online = new Set(this.members)
    for (const id of this.members) this.holds(id, "0.0", "")
  }

  /** The acceptor holds this log, accepted at this ballot and chosen nowhere. */
  holds(id: number, accepted: string, log: string) {
    const state = durable(accepted, accepted, log.length)
    this.acceptors.set(node(id), Acceptor.recover(state, entries(log)))
    this.proposers.set(node(id), Proposer.initial(ballot(accepted)))
  }

  log(id: number) {
    const { acceptedBallot, chosenThrough, log } = this.acceptors.get(node(id))!
    return `${Ballot.format(acceptedBallot)} ${letters(Log.slice(log, slot(0)))}, chosen ${chosenThrough}`
  }

  leads = (id: number) => this.proposers.get(node(id))!._tag === "Leading"

  campaign = (id: number, above = "0.0") => this.run(node(id), { _tag: "Campaign", above: ballot(above) })
  propose = (id: number, run: string) => this.run(node(id), { _tag: "Propose", entries: entries(run) })
  tick = (id: number) => this.run(node(id), { _tag: "Tick" })

  private run(id: NodeId.NodeId, input: Proposer.Input) {
    const mail = this.step(id, input)
    for (let sent = mail.shift(); sent !== undefined; sent = mail.shift()) {
      if (!this.online.has(sent.from) || !this.online.has(sent.to)) continue
      if (sent.asks) mail.push(...this.answer(sent.to, sent.from, sent.message))
      else mail.push(...this.step(sent.to, { _tag: "Receive", from: sent.from, message: sent.message }))
    }
  }

  private step(id: NodeId.NodeId, input: Proposer.Input): Array<Sent> {
    const options = { self: id, quorums: this.quorums, pipeline: 4, chunk: 1000, keep: 100, patience: 2 }
    const { actions, state } = Proposer.step(this.proposers.get(id)!, input, options)
    this.proposers.set(id, state)
    return actions.flatMap((action) =>
      action._tag === "Send" ? [{ to: action.to, from: id, message: action.message, asks: true }] : []
    )
  }

  private answer(id: NodeId.NodeId, to: NodeId.NodeId, message: Message.ToAcceptor): Array<Sent> {
    const { actions, state } = Acceptor.step(this.acceptors.get(id)!, message, { keep: 100 })
    this.acceptors.set(id, state)
    return actions.flatMap((action) => {
      if (action._tag !== "Reply") return []
      if (action.message._tag === "Rejected") this.refused.push(`${id}: ${say(action.message)}`)
      return [{ to, from: id, message: action.message, asks: false }]
    })
  }
}
