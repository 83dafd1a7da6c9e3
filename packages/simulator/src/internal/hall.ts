/**
 * Registers at one table, operated by hand: acceptors and proposers of one register that run in production, one step at a time, and
 * every message waits until somebody says what becomes of it. How long a request takes is counted in messages, one behind the
 * other, that had to arrive before it was answered: what a node says to itself takes no time.
 */
import { Ballot, Entry, RegisterAcceptor, RegisterProposer, Slot } from "@synod/paxos"
import type { NodeId, QuorumSystem, RegisterMessage } from "@synod/paxos"
import * as Say from "./storySentences.js"
import type { Question, Request } from "./hallRequest.js"
import * as HallSays from "./hallSays.js"
import { type Letter, Mail } from "./storyMail.js"
import { Refused } from "./storyRefused.js"
import { RoomTable } from "./roomTable.js"

/** Of the register; a story has one at a time. */
const key = "r"

interface Mailed extends Letter {
  readonly message: RegisterMessage.ToAcceptor | RegisterMessage.ToProposer
  readonly request: Request
  readonly question: Question
  readonly delays: number
}

export class Hall {
  private readonly acceptors = new Map<NodeId.NodeId, RegisterAcceptor.State>()
  private readonly requests = new Map<string, Request>()
  /** Whom each node takes to be missing, since they did not answer. */
  private readonly missing = new Map<NodeId.NodeId, Set<NodeId.NodeId>>()
  private sentences: Array<string> = []
  private written = new RoomTable()
  private lives = 0
  readonly mail = new Mail<Mailed>({
    say: (sentence) => this.say(sentence),
    isUp: () => true,
    text: ({ from, message, to }) => HallSays.message(from, to, message),
    arrive: (letter) => this.arrive(letter)
  })

  constructor(readonly quorums: QuorumSystem.QuorumSystem) {
    for (const id of quorums.members) this.missing.set(id, new Set())
    this.begin()
  }

  /** A register that nobody has asked for yet. */
  begin(): void {
    this.requests.clear()
    this.mail.forget(() => true)
    this.written = new RoomTable()
    this.written.open(Slot.zero, this.quorums)
    for (const id of this.members) this.acceptors.set(id, RegisterAcceptor.initial)
  }

  get members(): ReadonlyArray<NodeId.NodeId> {
    return this.quorums.members
  }

  spoken(): ReadonlyArray<string> {
    const { sentences } = this
    this.sentences = []
    return sentences
  }

  say(...sentences: ReadonlyArray<string>): void {
    this.sentences.push(...sentences)
  }

  // Requests

  /** A client would have its own name decided; or reads, if it has none to propose. */
  ask(name: string, at: NodeId.NodeId, proposes: boolean): void {
    const state = RegisterProposer.make(key, proposes ? HallSays.value(name) : null)
    const request: Request = { name, at, life: ++this.lives, state, delays: 0, waits: 0, open: new Set() }
    this.requests.set(name, request)
    this.take(request, { _tag: "Begin", reachable: this.reachable(at) })
  }

  request(name: string): Request {
    const request = this.requests.get(name)
    if (request !== undefined) return request
    throw new Refused("somebody who has asked", name)
  }

  /** Whatever has not been answered is taken to be lost, and those who did not answer to be missing. */
  losesPatience(name: string): void {
    const request = this.request(name)
    const lost = Array.from(request.open)
    if (lost.length === 0) throw new Refused(`${name} to wait for something`, "that all is answered")
    request.open.clear()
    request.waits++
    for (const { to } of lost) this.missing.get(request.at)!.add(to)
    this.say(`node ${request.at} waits no longer for ${Say.nodes(new Set(lost.map(({ to }) => to)))}`)
    for (const { message, to } of lost) {
      this.take(request, { _tag: "Unanswered", from: to, message, reachable: this.reachable(request.at) })
    }
  }

  /** After a pause. */
  triesAgain(name: string): void {
    const request = this.request(name)
    if (request.state.phase._tag !== "Waiting") throw new Refused(`${name} to pause`, request.state.phase._tag)
    this.take(request, { _tag: "Begin", reachable: this.reachable(request.at) })
  }

  private reachable(at: NodeId.NodeId): ReadonlySet<NodeId.NodeId> {
    return new Set(this.members.filter((id) => !this.missing.get(at)!.has(id)))
  }

  private take(request: Request, input: RegisterProposer.Input): void {
    const { at, life } = request
    const before = request.state
    const { actions, state } = RegisterProposer.step(before, input, { self: at, life, quorums: this.quorums })
    request.state = state
    this.say(...HallSays.proposed(request, before, this.quorums))
    const { phase } = state
    if (HallSays.isNewAttempt(before.phase, phase)) this.written.prepared(Slot.zero, phase.ballot)
    for (const action of actions) {
      if (action._tag !== "Send") continue
      const question = { to: action.to, message: action.message }
      const delays = request.delays + (action.to === at ? 0 : 1)
      // Nobody waits for the answer to news.
      if (action.message._tag !== "Decided") request.open.add(question)
      this.mail.send({ from: at, to: action.to, message: action.message, request, question, delays })
    }
  }

  // Messages

  private arrive({ delays, from, message, question, request, to }: Mailed): void {
    if (message === question.message) return this.accept(to, from, question, request, delays)
    request.open.delete(question)
    this.missing.get(to)!.delete(from)
    if (request.state.phase._tag !== "Finished") request.delays = Math.max(request.delays, delays)
    this.take(request, { _tag: "Receive", from, message: message as RegisterMessage.ToProposer })
  }

  private accept(id: NodeId.NodeId, to: NodeId.NodeId, question: Question, request: Request, delays: number): void {
    const before = this.acceptors.get(id)!
    const { actions, state } = RegisterAcceptor.step(before, question.message)
    this.acceptors.set(id, state)
    for (const action of actions) {
      if (action._tag === "Persist") {
        const { accepted, promised } = action.state
        const log = accepted === null ? [] : [Entry.commands(0, accepted.value)]
        this.written.wrote(id, Slot.zero, { acceptedBallot: accepted?.ballot ?? Ballot.zero, promised }, log)
        continue
      }
      this.say(...HallSays.answered(id, before, question.message, action.message))
      const later = delays + (id === to ? 0 : 1)
      this.mail.send({ from: id, to, message: action.message, request, question, delays: later })
    }
  }

  // What is written

  table(): ReadonlyArray<string> {
    return this.written.render(register, labelOf, "register")
  }

  get decided(): ReadonlyArray<string> {
    return Array.from(new Set(this.written.decisions(register).map(({ entry }) => labelOf(entry))))
  }

  /** The ballots at which it is decided. */
  get decisions(): ReadonlyArray<Ballot.Ballot> {
    return this.written.decisions(register).map(({ ballot }) => ballot)
  }

  isBlocked(ballot: Ballot.Ballot): boolean {
    return this.written.isBlocked(register, ballot)
  }
}

/** The one slot of the table. */
const register = Slot.make(1)

const labelOf = (entry: Entry.Entry): string => (entry._tag === "Commands" ? HallSays.text(entry.batch) : "")
