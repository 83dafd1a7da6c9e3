/**
 * The election of a node of the core tier, and its rounds of heartbeats.
 *
 * ```
 *   round ── Ask ──► the other voters ── heard, refused, or silent for too long ──► the next round
 *                                          │
 *                                          └──► Campaign, Withdraw, Observe ──► proposer
 * ```
 *
 * @internal
 */
import { Ballot, Election } from "@synod/paxos"
import type { Message, NodeId, Proposer } from "@synod/paxos"
import type { Self } from "./coreSelf.js"
import type { World } from "./coreWorld.js"

/** What a node lends its election. @internal */
export interface Host extends Self {
  readonly propose: (input: Proposer.Input) => void
  /** Hands the lead to a node that should rather have it, if that keeps up. */
  readonly prefer: (to: NodeId.NodeId) => void
  /** What a node does in a round that has no vote. */
  readonly poll: () => void
}

/** @internal */
export class CoreElection {
  state!: Election.State
  /** The round in which each peer was asked and has not answered yet, and until when it may. */
  private readonly asked = new Map<NodeId.NodeId, { readonly round: number; readonly until: number }>()
  /** Peers that answered the last time. */
  private readonly audible = new Set<NodeId.NodeId>()
  private roundIsOver = false

  constructor(
    private readonly host: Host,
    private readonly world: World
  ) {}

  /** A life begins. */
  begin(promised: Ballot.Ballot): void {
    this.roundIsOver = false
    this.initial(promised)
  }

  /** An epoch begins: whoever was waited for belongs to the one before. */
  enter(): void {
    this.initial(Ballot.zero)
    if (this.roundIsOver) this.host.life.tell(() => this.endRound())
  }

  private initial(promised: Ballot.Ballot): void {
    this.state = Election.initial(promised)
    this.asked.clear()
    this.audible.clear()
    for (const node of this.host.place().others) this.audible.add(node)
  }

  take(input: Election.Input): void {
    const { life, place, prefer, propose } = this.host
    const { actions, state } = this.world.steps.election(this.state, input, place().election)
    this.state = state
    for (const action of actions) {
      switch (action._tag) {
        case "Ask":
          this.ask(action.message)
          break
        case "Campaign":
          life.tell(() => propose(action))
          break
        case "Withdraw":
          this.world.judge.happened("an attempt to lead is given up")
          life.tell(() => propose(action))
          break
        case "HandOver":
          prefer(action.to)
          break
        case "Follow":
          life.tell(() => propose({ _tag: "Observe", ballot: action.ballot }))
          break
        case "Reply":
          break
      }
    }
  }

  // Messages

  private ask(message: Message.Heartbeat): void {
    const { id, life, place } = this.host
    const { network, now, setting } = this.world
    for (const to of place().others) {
      if (this.asked.has(to)) continue
      this.asked.set(to, { round: message.round, until: now() + life.lasting(setting.silence) })
      network.send(id, to, { kind: "ask", epoch: place().epoch.number, message })
    }
  }

  /** Somebody asks this node. */
  hear(from: NodeId.NodeId, message: Message.Heartbeat): void {
    const { id, place } = this.host
    const { election, epoch } = place()
    const { actions } = this.world.steps.election(this.state, { _tag: "Heartbeat", message }, election)
    for (const action of actions) {
      if (action._tag !== "Reply") continue
      this.world.network.send(id, from, { kind: "heard", epoch: epoch.number, message: action.message })
    }
  }

  heard(peer: NodeId.NodeId, message: Message.HeartbeatReply): void {
    if (this.asked.get(peer)?.round !== message.round) return
    this.audible.add(peer)
    this.take({ _tag: "HeartbeatReply", message })
    this.answered(peer)
  }

  /** Nobody runs there. */
  refused(peer: NodeId.NodeId, round: number): void {
    if (this.asked.get(peer)?.round === round) this.answered(peer)
  }

  private answered(peer: NodeId.NodeId): void {
    this.asked.delete(peer)
    if (this.roundIsOver && !this.isAwaiting()) this.round()
  }

  // Rounds

  /** Ticks until everyone has answered or is silent, and at least for the pause. */
  round(): void {
    const { life, place, poll } = this.host
    this.roundIsOver = false
    if (place().isVoter) this.take({ _tag: "Tick" })
    else poll()
    life.afterHeartbeat(() => {
      this.roundIsOver = true
      this.endRound()
    })
  }

  private endRound(): void {
    if (!this.roundIsOver) return
    const now = this.world.now()
    let silent = Infinity
    for (const [node, { until }] of this.asked) {
      if (until > now) {
        if (this.audible.has(node)) silent = Math.min(silent, until)
        continue
      }
      this.asked.delete(node)
      this.audible.delete(node)
    }
    if (!this.isAwaiting()) return this.round()
    const { round } = this.state
    this.host.life.later(silent - now, () => {
      if (this.state.round === round) this.endRound()
    })
  }

  /** Somebody who answered the last time has not answered yet. */
  private isAwaiting(): boolean {
    for (const node of this.asked.keys()) if (this.audible.has(node)) return true
    return false
  }
}
