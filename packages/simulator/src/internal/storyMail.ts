/**
 * The messages of a story: each waits until a command says what becomes of it. Nodes that are offline run, and miss all that
 * others send, as others miss what they send.
 */
import type { NodeId } from "@synod/paxos"
import { Refused } from "./storyRefused.js"
import * as Say from "./storySentences.js"

/** A message with its address. */
export interface Letter {
  readonly from: NodeId.NodeId
  readonly to: NodeId.NodeId
  readonly message: { readonly _tag: string }
}

/** What becomes of messages, for those who operate them. */
export interface Operated {
  /** Nodes that run, and hear nobody. */
  readonly goOffline: (ids: ReadonlyArray<NodeId.NodeId>) => void
  readonly comeBack: (ids: ReadonlyArray<NodeId.NodeId>) => void
  /** What is under way, in words. */
  readonly texts: () => ReadonlyArray<string>
  readonly has: (matches: (letter: Letter) => boolean) => boolean
  /** Delivers messages, oldest first, and those that come of it, until none is left that matches. */
  readonly deliver: (matches: (letter: Letter) => boolean) => void
  /** Delivers those that are under way now, and leaves them under way. */
  readonly repeat: (matches: (letter: Letter) => boolean) => void
  readonly drop: (matches: (letter: Letter) => boolean) => void
}

/** What a place lends its mail. */
export interface Host<L> {
  readonly say: (sentence: string) => void
  readonly isUp: (id: NodeId.NodeId) => boolean
  readonly text: (letter: L) => string
  /** It has reached a node that runs. */
  readonly arrive: (letter: L) => void
}

/** Messages that one command may deliver: a story has some dozens, and one that goes round in a circle has no end. */
const mostDeliveries = 1000

export class Mail<L extends Letter> implements Operated {
  private underWay: Array<L> = []
  private readonly offline = new Set<NodeId.NodeId>()

  constructor(private readonly host: Host<L>) {}

  isOffline(id: NodeId.NodeId): boolean {
    return this.offline.has(id)
  }

  goOffline(ids: ReadonlyArray<NodeId.NodeId>): void {
    for (const id of ids) this.offline.add(id)
    this.host.say(`${Say.nodes(ids)} ${ids.length === 1 ? "hears" : "hear"} nobody`)
  }

  comeBack(ids: ReadonlyArray<NodeId.NodeId>): void {
    for (const id of ids) this.offline.delete(id)
    this.host.say(`${Say.nodes(ids)} ${ids.length === 1 ? "hears" : "hear"} the others again`)
  }

  send(letter: L): void {
    this.underWay.push(letter)
  }

  texts(): ReadonlyArray<string> {
    return this.underWay.map(this.host.text)
  }

  has(matches: (letter: Letter) => boolean): boolean {
    return this.underWay.some(matches)
  }

  deliver(matches: (letter: Letter) => boolean): void {
    for (let count = 0; ; count++) {
      const letter = this.underWay.find(matches)
      if (letter === undefined) return
      if (count === mostDeliveries) throw new Refused(`at most ${mostDeliveries} messages`, "more")
      this.underWay.splice(this.underWay.indexOf(letter), 1)
      this.arrive(letter)
    }
  }

  repeat(matches: (letter: Letter) => boolean): void {
    for (const letter of this.underWay.filter(matches)) this.arrive(letter)
  }

  drop(matches: (letter: Letter) => boolean): void {
    for (const letter of this.underWay.filter(matches)) this.host.say(`lost: ${this.host.text(letter)}`)
    this.forget(matches)
  }

  forget(matches: (letter: Letter) => boolean): void {
    this.underWay = this.underWay.filter((letter) => !matches(letter))
  }

  /** A message reaches its node, or nobody. */
  private arrive(letter: L): void {
    const { from, to } = letter
    const { arrive, isUp, say, text } = this.host
    const misses = `misses ${text(letter)}`
    if (!isUp(to)) return say(`node ${to} is down and ${misses}`)
    if (from !== to && this.offline.has(to)) return say(`node ${to} is offline and ${misses}`)
    if (from !== to && this.offline.has(from)) return say(`node ${from} is offline, and node ${to} ${misses}`)
    arrive(letter)
  }
}
