/**
 * What happens in a cluster of the core tier: all of it is hashed, in numbers, and written down only when somebody wants
 * to read it. Heartbeats that arrive are hashed and not told: there are too many of them.
 *
 * @internal
 */
import { Ballot, Entry, Message } from "@synod/paxos"
import * as TraceHash from "../TraceHash.js"
import * as Machine from "./coreMachine.js"
import { nameOf, type Address, type Envelope } from "./coreMessage.js"

/** @internal */
export interface CoreTrace {
  readonly readable: boolean
  readonly lines: Array<string>
  /** `detail` goes into the hash; the sentence is made only if it is to be read. */
  readonly event: (who: string, kind: string, detail: number, tell?: () => string) => void
  /** A message leaves, arrives, or is lost. */
  readonly message: (verb: Verb, from: Address, to: Address, envelope: Envelope) => void
  readonly digest: () => string
}

/** @internal */
export type Verb = "sends" | "gets" | "loses"

/** @internal */
export const make = (now: () => number, readable: boolean): CoreTrace => {
  const hash = TraceHash.make()
  const lines: Array<string> = []
  const write = (who: string, what: string): void => {
    lines.push(`${(now() / 1000).toFixed(4).padStart(9)} s  ${who.padEnd(3)} ${what}`)
  }
  return {
    readable,
    lines,
    event: (who, kind, detail, tell) => {
      hash.number(now())
      hash.text(who)
      hash.text(kind)
      hash.number(detail)
      if (readable && tell !== undefined) write(who, tell())
    },
    message: (verb, from, to, envelope) => {
      hash.number(now())
      hash.number((from * 65_536 + to) * 256 + verb.charCodeAt(0))
      words(envelope, hash.number)
      if (!readable || envelope.kind === "ask" || envelope.kind === "heard") return
      if (verb === "gets") write(nameOf(to), `gets from ${nameOf(from)}: ${say(envelope)}`)
      else write(nameOf(from), `${verb} to ${nameOf(to)}: ${say(envelope)}`)
    },
    digest: hash.digest
  }
}

/** What tells messages apart, in numbers. */
const words = (envelope: Envelope, word: (value: number) => void): void => {
  word(envelope.kind.length * 256 + envelope.kind.charCodeAt(0))
  const ballot = ({ node, round }: Ballot.Ballot) => word(round * 65_536 + node)
  if ("epoch" in envelope) word(envelope.epoch)
  switch (envelope.kind) {
    case "ask":
      return word(envelope.message.round)
    case "heard": {
      const { claim, connected, happy, leader, round } = envelope.message
      word(round * 4 + (happy ? 2 : 0) + (connected ? 1 : 0))
      ballot(claim)
      return ballot(leader)
    }
    case "acceptor":
    case "proposer": {
      const { message } = envelope
      word(message._tag.charCodeAt(message._tag.length - 1) + message._tag.length * 256)
      ballot(message.ballot)
      if ("acceptedBallot" in message) {
        ballot(message.acceptedBallot)
        word(message.acceptedThrough)
        word(message.chosenThrough)
      }
      if ("through" in message) word(message.through)
      if ("after" in message) word(message.after)
      if ("confirm" in message) word(message.confirm)
      if ("entries" in message) for (const entry of message.entries) (word(entry.time), word(Entry.sizeOf(entry)))
      return
    }
    case "learn":
      return word(envelope.message.after)
    case "lesson": {
      const { message } = envelope
      word(message.after)
      if (message._tag === "Unlearnable") return word(message.trimmedThrough)
      ballot(message.ballot)
      for (const entry of message.entries) (word(entry.time), word(Entry.sizeOf(entry)))
      return
    }
    case "late":
      return
    case "takeOver":
      return ballot(envelope.message.ballot)
    case "refused":
      return word(envelope.round)
    case "fetchSnapshot":
      return ballot(envelope.ballot)
    case "snapshot":
      word(envelope.snapshot.slot)
      return word(envelope.snapshot.machine.digest)
    case "noSnapshot":
      return
    case "read":
      word(envelope.leased ? 1 : 0)
      return word(envelope.sequence)
    case "submit":
      return word(envelope.sequence)
    case "answer":
      word(envelope.sequence)
      return word(envelope.slot ?? -1)
    case "notLeader":
      word(envelope.sequence)
      return word(envelope.leader ?? 0)
  }
}

const say = (envelope: Envelope): string => {
  switch (envelope.kind) {
    case "acceptor":
    case "proposer":
      return Message.format(envelope.message, run)
    case "submit":
      return `please perform ${Machine.format(envelope)}`
    case "read":
      return `please read${envelope.leased ? " by your lease" : ""}, ${Machine.format(envelope)}`
    case "answer":
      return `#${envelope.sequence} is answered${envelope.slot === undefined ? "" : ` at slot ${envelope.slot}`}`
    case "notLeader":
      return `#${envelope.sequence} is refused${envelope.leader === undefined ? "" : `, ask n${envelope.leader}`}`
    case "takeOver":
      return `take over from ${Ballot.format(envelope.message.ballot)}`
    case "refused":
      return "nobody is there"
    case "fetchSnapshot":
      return `your snapshot, please; ${Ballot.format(envelope.ballot)} is promised here`
    case "snapshot":
      return `the snapshot of slot ${envelope.snapshot.slot}`
    case "noSnapshot":
      return "no snapshot"
    case "late":
      return `too late: epoch ${envelope.epoch} has begun`
    case "learn":
      return `what is chosen behind ${envelope.message.after}?`
    case "lesson": {
      const { message } = envelope
      return message._tag === "Unlearnable"
        ? `trimmed through ${message.trimmedThrough}`
        : `chosen in epoch ${message.epoch} at ${Ballot.format(message.ballot)} or below: ${run(message.after, message.entries)}`
    }
    case "ask":
    case "heard":
      return envelope.message._tag
  }
}

/** What a slot holds, as people read it. @internal */
export const entryOf = (entry: Entry.Entry): string => {
  if (entry._tag === "Commands") return Machine.decode(entry).map(Machine.format).join(" ")
  const { learners, quorums, voters } = entry.membership
  const learning = learners.length === 0 ? "" : `, ${learners.map(nameOf).join(" ")} learning`
  return `end of epoch ${entry.epoch}, next ${voters.map(nameOf).join(" ")} (${quorums._tag})${learning}`
}

const run = (after: number, entries: Message.Accept["entries"]): string => {
  const commands = entries.map(entryOf).join(" | ")
  return entries.length === 0 ? `nothing behind ${after}` : `slot ${after + 1} on: ${commands}`
}
