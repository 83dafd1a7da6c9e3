/**
 * The proposer of a node of the core tier, with the requests of clients and the hand-over of the lead.
 *
 * ```
 *   election ── Campaign, Withdraw ──►            ── Prepare, Accept ──► acceptors: the others', then its own
 *   acceptors ── replies ────────────►  proposer  ── Claim, Observe ───► election
 *   clients ──► requests ── Propose ─►            ── Confirmed ────────► requests
 * ```
 *
 * @internal
 */
import { Ballot, Entry, Membership, Proposer } from "@synod/paxos"
import type { Election, Message, NodeId } from "@synod/paxos"
import * as Either from "effect/Either"
import { CoreHandOver } from "./coreHandOver.js"
import { CoreRequests } from "./coreRequests.js"
import type { Self } from "./coreSelf.js"
import type { World } from "./coreWorld.js"

/** What a node lends its proposer. @internal */
export interface Host extends Self {
  /** Something for its own acceptor. */
  readonly accept: (message: Message.ToAcceptor) => void
  readonly elect: (input: Election.Input) => void
  /** Whom its election takes for the leader, 0 for nobody. */
  readonly leader: () => Ballot.Ballot["node"]
  readonly applied: () => number
  /** It leads from now on. */
  readonly leads: () => void
}

/** @internal */
export class CoreProposer {
  state!: Proposer.State
  readonly requests: CoreRequests
  readonly handOver: CoreHandOver

  constructor(
    private readonly host: Host,
    private readonly world: World
  ) {
    const propose = (input: Proposer.Input) => this.take(input)
    const proposer = () => this.state
    this.requests = new CoreRequests(
      { ...host, propose, proposer, isHandingOver: () => this.handOver.isUnderWay },
      world
    )
    this.handOver = new CoreHandOver({ ...host, propose, proposer, requests: this.requests }, world)
  }

  /** A life begins. */
  begin(promised: Ballot.Ballot): void {
    this.state = Proposer.initial(promised)
    this.requests.begin()
    this.handOver.end()
  }

  /** An epoch begins. */
  enter(): void {
    this.state = Proposer.initial(Ballot.zero)
  }

  take(input: Proposer.Input): void {
    const { accept, elect, leads, life, place, tellIn } = this.host
    const { judge, steps } = this.world
    const before = Proposer.claim(this.state)
    const { actions, state } = steps.proposer(this.state, input, place().proposer)
    this.state = state
    const claim = Proposer.claim(state)
    if (claim.leading !== before.leading || !Ballot.equals(claim.claim, before.claim)) {
      tellIn(place().epoch.number, () => elect({ _tag: "Claim", ...claim }))
    }
    let own: Array<Message.ToAcceptor> | undefined
    for (const action of actions) {
      switch (action._tag) {
        case "Send":
          if (action.to === this.host.id) (own ??= []).push(action.message)
          else this.send(action.to, action.message, before.leading)
          break
        case "Lead":
          leads()
          if (state._tag === "Leading" && action.adoptedThrough > state.chosenThrough) {
            judge.happened("a new leader adopts what may be chosen")
          }
          break
        case "Resign":
          if (before.leading) judge.happened("a leader gives way to a higher ballot")
          this.resign(action.ballot)
          break
        case "Confirmed":
          this.requests.confirm(action)
          break
      }
    }
    if (this.handOver.isUnderWay) life.tell(() => this.handOver.goOn())
    // The others first: the own acceptor has to wait for its disk.
    for (const message of own ?? []) accept(message)
    if (this.requests.areWaiting) life.tell(() => this.requests.drain())
  }

  private send(to: NodeId.NodeId, message: Message.ToAcceptor, leading: boolean): void {
    const { id, life, place } = this.host
    const { judge, network } = this.world
    const epoch = place().epoch.number
    if (message._tag === "Fetch") {
      judge.happened(leading ? "old entries are fetched for a follower" : "a log is adopted from another node")
    }
    life.point()
    judge.spoke(id, life.number, epoch, message.ballot)
    network.send(id, to, { kind: "acceptor", epoch, message })
  }

  /** Somebody else leads now, or nobody. */
  resign(ballot: Ballot.Ballot): void {
    const { elect, life } = this.host
    this.handOver.end()
    this.requests.resign()
    life.tell(() => elect({ _tag: "Observe", ballot }))
  }

  /** Says again what may have got lost. */
  resend(): void {
    const { life } = this.host
    if (this.state._tag !== "Following") {
      this.handOver.again()
      this.take({ _tag: "Tick", now: life.clock() })
    }
    life.afterHeartbeat(() => this.resend())
  }

  /** Ends the epoch with a change, if it leads and may. */
  change(wanted: Membership.Membership): boolean {
    const { life, place } = this.host
    const { judge, now, steps } = this.world
    const { epoch, proposer } = place()
    if (!life.isUp || this.handOver.isUnderWay || life.isPaused) return false
    const next = steps.change(this.state, epoch, { expect: epoch.number, wanted }, proposer)
    if (Either.isLeft(next) || this.state._tag !== "Leading") return false
    judge.happened(Membership.equals(next.right, wanted) ? "a change is proposed" : "nodes learn before they vote")
    const entry = Entry.stopSign(Math.floor(now()), epoch.number, next.right)
    this.requests.proposes(this.state.log.through + 1, entry, [])
    life.perform(() => this.take({ _tag: "Propose", entries: [entry] }))
    return true
  }
}
