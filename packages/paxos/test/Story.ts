/** Short ways to write down what goes into a step and what comes out of it. */
import { Ballot, Entry, Epoch, Message, NodeId, Slot } from "@synod/paxos"
import type { Acceptor, Durable, Follower, Learner, Proposer } from "@synod/paxos"

export const node = NodeId.make
export const slot = Slot.make

/** `1.2` is round 1 of node 2. */
export const ballot = (text: string): Ballot.Ballot => {
  const [round, id] = text.split(".").map(Number)
  return id === 0 ? Ballot.zero : Ballot.make(round!, node(id!))
}

/** One entry a letter. */
export const entries = (letters: string): ReadonlyArray<Entry.Entry> =>
  Array.from(letters, (letter) => Entry.commands(0, new TextEncoder().encode(letter)))

export const letters = (run: ReadonlyArray<Entry.Entry>): string =>
  run.map((entry) => (entry._tag === "Commands" ? new TextDecoder().decode(entry.batch) : "■")).join("")

/** A log: where it was accepted, how far it goes, how far it is known to be chosen. */
export const held = (acceptedBallot: string, through: number, chosen = 0): Follower.Held => ({
  acceptedBallot: ballot(acceptedBallot),
  acceptedThrough: slot(through),
  chosenThrough: slot(chosen)
})

export const prepare = (text: string): Message.Prepare => ({
  _tag: "Prepare",
  ballot: ballot(text),
  released: Ballot.zero
})

/** What is durable of an acceptor that trimmed nothing. */
export const durable = (promised: string, ...log: Parameters<typeof held>): Durable.Durable => ({
  epochs: Epoch.none,
  promised: ballot(promised),
  ...held(...log),
  trimmedThrough: slot(0)
})

export const behind = (text: string, source: number): Message.Behind => ({
  _tag: "Behind",
  ballot: ballot(text),
  source: node(source)
})

export const trimmed = (text: string, after: number, through: number): Message.Trimmed => ({
  _tag: "Trimmed",
  ballot: ballot(text),
  after: slot(after),
  trimmedThrough: slot(through)
})

export const promise = (text: string, ...log: Parameters<typeof held>): Message.Promise => ({
  _tag: "Promise",
  ballot: ballot(text),
  ...held(...log)
})

export const rejected = (text: string, promised: string, ...log: Parameters<typeof held>): Message.Rejected => ({
  _tag: "Rejected",
  ballot: ballot(text),
  promised: ballot(promised),
  ...held(...log)
})

export const accept = (
  text: string,
  after: number,
  run: string,
  more: { readonly chosen?: number; readonly adopted?: readonly [string, number]; readonly confirm?: number } = {}
): Message.Accept => ({
  _tag: "Accept",
  ballot: ballot(text),
  after: slot(after),
  entries: entries(run),
  chosenThrough: slot(more.chosen ?? 0),
  adopted: { acceptedBallot: ballot(more.adopted?.[0] ?? "0.0"), acceptedThrough: slot(more.adopted?.[1] ?? 0) },
  confirm: more.confirm ?? 0
})

export const accepted = (text: string, through: number, chosen = 0, confirm = 0): Message.Accepted => ({
  _tag: "Accepted",
  ballot: ballot(text),
  through: slot(through),
  chosenThrough: slot(chosen),
  confirm,
  grant: 0
})

export const fetch = (text: string, after: number, bytes: number): Message.Fetch => ({
  _tag: "Fetch",
  ballot: ballot(text),
  after: slot(after),
  bytes
})

export const fetched = (text: string, after: number, run: string): Message.Fetched => ({
  _tag: "Fetched",
  ballot: ballot(text),
  after: slot(after),
  entries: entries(run)
})

const log = (held: Follower.Held) =>
  `${Ballot.format(held.acceptedBallot)} through ${held.acceptedThrough}, chosen ${held.chosenThrough}`

const run = (after: number, entries: ReadonlyArray<Entry.Entry>) => `${after}+${letters(entries)}`

export const say = (message: Message.ToAcceptor | Message.ToProposer): string => Message.format(message, run)

const write = ({ after, entries, state }: Durable.Write) =>
  `persist ${run(after, entries)}, promised ${Ballot.format(state.promised)}, ${log(state)}${state.trimmedThrough === 0 ? "" : `, trimmed ${state.trimmedThrough}`}`

export const tell = (action: Acceptor.Action | Proposer.Action | Learner.Action): string => {
  switch (action._tag) {
    case "Persist":
      return write(action.write)
    case "Reply":
      return `reply ${say(action.message)}`
    case "Read":
      return `read after ${"fetch" in action ? action.fetch.after : action.after}`
    case "Teach":
      return `teach ${action.message._tag} after ${action.message.after}`
    case "ReadChosen":
      return `read after ${action.lesson.after}`
    case "Enter":
      return `enter epoch ${action.epoch.number}`
    case "Refuse":
      return "refuse"
    case "Deliver":
      return `deliver ${run(action.after, action.entries)}`
    case "Pull":
      return `pull from ${action.source}`
    case "Restore":
      return `restore ${action.slot}`
    case "Send":
      return `to ${action.to}: ${say(action.message)}`
    case "Lead":
      return `lead ${Ballot.format(action.ballot)}, adopted through ${action.adoptedThrough}`
    case "Resign":
      return `resign to ${Ballot.format(action.ballot)}`
    case "Confirmed":
      return `confirmed ${action.confirm} from slot ${action.slot}`
    case "Apply":
      return `apply ${action.slot} ${letters([action.entry])}`
  }
}
