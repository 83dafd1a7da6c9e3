/** Acceptors and proposers of one register, over a network whose every delay, loss and repetition is chosen by the test. */
import { Ballot, RegisterAcceptor, RegisterProposer } from "@synod/paxos"
import type { NodeId, QuorumSystem, Register, RegisterMessage } from "@synod/paxos"
import { node } from "./Story.js"

export const value = (text: string): Register.Value => new TextEncoder().encode(text)
export const text = (value: Register.Value | null | undefined): string | undefined =>
  value === null || value === undefined ? undefined : new TextDecoder().decode(value)

type System = QuorumSystem.QuorumSystem

export interface Request {
  readonly name: string
  readonly self: NodeId.NodeId
  readonly began: number
  state: RegisterProposer.State
  /** Message delays from its beginning until it was answered. */
  took: number | undefined
  answer: Register.Cell | null | undefined
  pauses: number
}

/** A decision that acceptors made, whoever knows of it. */
export interface Decision {
  readonly ballot: Ballot.Ballot
  readonly value: string
  /** When its last vote was given. */
  readonly at: number
}

export class Hall {
  now = 0
  readonly acceptors = new Map<NodeId.NodeId, RegisterAcceptor.State>()
  readonly requests: Array<Request> = []
  readonly decisions: Array<Decision> = []
  readonly refused: Array<string> = []
  /** Messages to and from others are lost. */
  online: ReadonlySet<number>
  /** Whom a proposer believes to be there. */
  reachable: (self: NodeId.NodeId) => ReadonlySet<NodeId.NodeId>
  /** Delays of a message; none if it is lost, several if it is repeated. */
  travel: (from: NodeId.NodeId, to: NodeId.NodeId, tag: string) => ReadonlyArray<number> = () => [1]
  roll: () => number = () => 0.5
  private readonly queue: Array<{ readonly at: number; readonly what: () => void }> = []
  private readonly votes = new Map<string, Set<NodeId.NodeId>>()
  private lives = 0

  constructor(readonly quorums: System) {
    this.online = new Set(quorums.members)
    this.reachable = () => new Set(quorums.members)
    for (const id of quorums.members) this.acceptors.set(id, RegisterAcceptor.initial)
  }

  get members() {
    return this.quorums.members
  }

  propose(self: number, what: string | null, life = ++this.lives): Request {
    const state = RegisterProposer.make("r", what === null ? null : value(what))
    const request: Request = {
      name: what ?? "read",
      self: node(self),
      began: this.now,
      state,
      took: undefined,
      answer: undefined,
      pauses: 0
    }
    this.requests.push(request)
    this.take(request, { _tag: "Begin", reachable: this.reachable(request.self) }, life)
    return request
  }

  /** Until nothing is under way, or so long. */
  run(until = Infinity): void {
    for (;;) {
      const next = this.queue.reduce<number>(
        (best, { at }, i) => (at < (this.queue[best]?.at ?? Infinity) ? i : best),
        0
      )
      const event = this.queue[next]
      if (event === undefined || event.at > until) return
      this.queue.splice(next, 1)
      this.now = event.at
      event.what()
    }
  }

  held(id: number): string {
    const { accepted, decided, promised } = this.acceptors.get(node(id))!
    const cell = accepted === null ? "-" : `${text(accepted.value)} at ${Ballot.format(accepted.ballot)}`
    return `${Ballot.format(promised)}: ${cell}${decided ? ", decided" : ""}`
  }

  /** An acceptor gets a message, now, whoever sent it. */
  deliver(to: NodeId.NodeId, message: RegisterMessage.ToAcceptor): RegisterMessage.ToProposer | undefined {
    const { actions, state } = RegisterAcceptor.step(this.acceptors.get(to)!, message)
    this.acceptors.set(to, state)
    if (message._tag === "Accept" && actions.some(({ _tag }) => _tag === "Persist")) this.vote(to, message)
    const reply = actions.find((action) => action._tag === "Reply")
    return reply?._tag === "Reply" ? reply.message : undefined
  }

  private take(request: Request, input: RegisterProposer.Input, life: number): void {
    const options = { self: request.self, life, quorums: this.quorums }
    const { actions, state } = RegisterProposer.step(request.state, input, options)
    request.state = state
    for (const action of actions) {
      if (action._tag === "Send") this.send(request, action.to, action.message, life)
      if (action._tag === "Finish") {
        request.answer = action.decided
        request.took = this.now - request.began
      }
      if (action._tag !== "BackOff") continue
      request.pauses++
      const pause = RegisterProposer.pause(action.failures, { first: 4, longest: 64 }, this.roll())
      this.at(pause, () => this.take(request, { _tag: "Begin", reachable: this.reachable(request.self) }, life))
    }
  }

  private send(request: Request, to: NodeId.NodeId, message: RegisterMessage.ToAcceptor, life: number): void {
    let answered = false
    const isLocal = request.self === to
    const there = isLocal ? [0] : this.travel(request.self, to, message._tag)
    for (const delay of there) {
      this.at(delay, () => {
        if (!isLocal && !(this.online.has(to) && this.online.has(request.self))) return
        const reply = this.deliver(to, message)
        if (reply === undefined) return
        if (reply._tag === "Rejected")
          this.refused.push(`${to}: ${Ballot.format(reply.ballot)}, promised ${Ballot.format(reply.promised)}`)
        for (const back of isLocal ? [0] : this.travel(to, request.self, reply._tag)) {
          this.at(back, () => {
            answered = true
            this.take(request, { _tag: "Receive", from: to, message: reply }, life)
          })
        }
      })
    }
    this.at(patience, () => {
      if (answered) return
      this.take(request, { _tag: "Unanswered", from: to, message, reachable: this.reachable(request.self) }, life)
    })
  }

  private vote(id: NodeId.NodeId, { ballot, value }: RegisterMessage.Accept): void {
    const key = `${Ballot.format(ballot)} ${text(value)}`
    const voters = (this.votes.get(key) ?? new Set()).add(id)
    this.votes.set(key, voters)
    if (!this.quorums.isAcceptQuorum(ballot.round, voters)) return
    if (this.decisions.some((made) => Ballot.equals(made.ballot, ballot))) return
    this.decisions.push({ ballot, value: text(value)!, at: this.now })
  }

  private at(delay: number, what: () => void): void {
    this.queue.push({ at: this.now + delay, what })
  }
}

/** Delays until a message counts as unanswered. */
export const patience = 10
