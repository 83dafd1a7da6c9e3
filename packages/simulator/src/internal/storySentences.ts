/**
 * How transcripts put things.
 */
import { Ballot } from "@synod/paxos"
import type { Epoch, Message, NodeId } from "@synod/paxos"
import type { Told } from "./roomClients.js"

export const ballot = Ballot.format

/** `a`, `a and b`, `a, b and c`. */
export const list = (items: ReadonlyArray<string | number>): string =>
  items.length < 2 ? items.join("") : `${items.slice(0, -1).join(", ")} and ${items[items.length - 1]}`

/** `node 1`, `nodes 1 and 2`. */
export const nodes = (ids: Iterable<NodeId.NodeId>): string => {
  const sorted = Array.from(ids).sort((a, b) => a - b)
  return `node${sorted.length === 1 ? "" : "s"} ${list(sorted)}`
}

/** `slot 1`, `slots 1 to 3`. */
export const slots = (after: number, through: number): string =>
  through - after === 1 ? `slot ${through}` : `slots ${after + 1} to ${through}`

/** `slot 1 is chosen`, `slots 1 to 3 are chosen`. */
export const areChosen = (after: number, through: number): string =>
  `${slots(after, through)} ${through - after === 1 ? "is" : "are"} chosen`

/** What an acceptor holds behind the slot with which its epoch begins, by the labels of its log. */
export const holding = (
  labels: ReadonlyArray<string>,
  held: {
    readonly acceptedBallot: Ballot.Ballot
    readonly chosenThrough: number
    readonly epoch: Pick<Epoch.Epoch, "after" | "number">
  }
): string => {
  const { after, number } = held.epoch
  const log =
    labels.length === 0
      ? number > 1
        ? `nothing of epoch ${number}`
        : "nothing"
      : `${labels.join(", ")} at ${ballot(held.acceptedBallot)}`
  return held.chosenThrough === after ? log : `${log}, chosen through slot ${held.chosenThrough}`
}

/** A message on its way, in short. */
export const message = (
  { from, to, message }: Addressed,
  labels: (entries: Message.Accept["entries"]) => ReadonlyArray<string>
): string => {
  const entries = "entries" in message && message.entries.length > 0 ? ` ${labels(message.entries).join(", ")}` : ""
  const at = "ballot" in message ? ` ${ballot(message.ballot)}` : ""
  return `${message._tag}${at}${entries} from ${from} to ${to}`
}

export interface Addressed {
  readonly from: NodeId.NodeId
  readonly to: NodeId.NodeId
  /** The number of the epoch in which it was sent. */
  readonly epoch: number
  readonly message:
    | Message.ToAcceptor
    | Message.ToProposer
    | Message.Learn
    | Message.Learned
    | Message.Unlearnable
    /** The epoch of what was sent is over here. */
    | { readonly _tag: "Late" }
}

/** What a node tells a client. */
export const reply = (told: Told): string => {
  switch (told._tag) {
    case "Opened":
      return `your session is ${told.session}`
    case "Granted":
      return `yes, the lock is yours, token ${told.token}`
    case "Held":
      return `no, ${told.by} holds the lock`
    case "Failed":
      return `that failed: ${told.reason}`
    case "Elsewhere":
      return told.reason
  }
}

/** Rows as lines, each column as wide as its longest cell. */
export const columns = (rows: ReadonlyArray<ReadonlyArray<string>>): ReadonlyArray<string> => {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)))
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i]! + 2))
      .join("")
      .trimEnd()
  )
}
