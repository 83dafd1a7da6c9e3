/**
 * How transcripts put things.
 */
import { Ballot } from "@synod/paxos"
import type { Message, NodeId } from "@synod/paxos"
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

/** What an acceptor holds, by the labels of its log. */
export const holding = (
  labels: ReadonlyArray<string>,
  held: { readonly acceptedBallot: Ballot.Ballot; readonly chosenThrough: number }
): string => {
  const log = labels.length === 0 ? "nothing" : `${labels.join(", ")} at ${ballot(held.acceptedBallot)}`
  return held.chosenThrough === 0 ? log : `${log}, chosen through slot ${held.chosenThrough}`
}

/** A message on its way, in short. */
export const message = (
  { from, to, message }: Addressed,
  labels: (entries: Message.Accept["entries"]) => ReadonlyArray<string>
): string => {
  const entries = "entries" in message && message.entries.length > 0 ? ` ${labels(message.entries).join(", ")}` : ""
  return `${message._tag} ${ballot(message.ballot)}${entries} from ${from} to ${to}`
}

export interface Addressed {
  readonly from: NodeId.NodeId
  readonly to: NodeId.NodeId
  readonly message: Message.ToAcceptor | Message.ToProposer
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
