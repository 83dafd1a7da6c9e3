/**
 * What the nodes of a room say of their steps, in sentences.
 */
import { Ballot } from "@synod/paxos"
import type { Acceptor, Entry, Message, NodeId, Proposer } from "@synod/paxos"
import type { Disk, RoomNode } from "./roomNode.js"
import * as Say from "./storySentences.js"

/** What the sentences need to know of the room. */
export interface Seen {
  readonly labels: (entries: ReadonlyArray<Entry.Entry>) => ReadonlyArray<string>
  readonly disk: (id: NodeId.NodeId) => Disk
  readonly holding: (id: NodeId.NodeId) => string
}

export const answered = (
  room: Seen,
  { acceptor, disk, id }: RoomNode,
  before: Acceptor.State,
  { _tag }: Message.ToAcceptor,
  answer: Message.ToProposer
): ReadonlyArray<string> => {
  const ballot = Say.ballot(answer.ballot)
  const holding = `holding ${room.holding(id)}`
  switch (answer._tag) {
    case "Promise":
      return [`node ${id} promises ${ballot}, ${holding}`]
    case "Rejected":
      return [`node ${id} refuses ${_tag} ${ballot}: it has promised ${Say.ballot(answer.promised)}, ${holding}`]
    case "Trimmed":
      return [`node ${id} has a snapshot in place of ${Say.slots(answer.after, answer.trimmedThrough)}`]
    case "Fetched":
      return [`node ${id} hands out ${Say.list(room.labels(answer.entries))}`]
    case "Accepted": {
      const { chosenThrough, log } = acceptor
      const isNew = !Ballot.equals(before.acceptedBallot, acceptor.acceptedBallot)
      const after = isNew ? 0 : before.log.through
      const labels = Say.list(room.labels(disk.entries.slice(after)))
      return [
        ...(log.through > after
          ? [`node ${id} accepts ${labels} in ${Say.slots(after, log.through)} at ${ballot}`]
          : []),
        ...(isNew && log.through === 0 ? [`node ${id} follows ${ballot}`] : []),
        ...(chosenThrough > before.chosenThrough
          ? [`node ${id} learns that ${Say.slots(before.chosenThrough, chosenThrough)} is chosen`]
          : [])
      ]
    }
  }
}

export const proposed = (room: Seen, { id, proposer }: RoomNode, before: Proposer.State): ReadonlyArray<string> => {
  const was = before._tag === "Following" ? undefined : before.ballot
  switch (proposer._tag) {
    case "Following":
      return was === undefined
        ? []
        : [`node ${id} gives up ${Say.ballot(was)}: there is ${Say.ballot(proposer.highest)}`]
    case "Preparing": {
      const { adopting, ballot, promises } = proposer
      if (was === undefined || !Ballot.equals(ballot, was)) {
        return [`node ${id} prepares ${Say.ballot(ballot)}`]
      }
      return adopting === undefined || (before._tag === "Preparing" && before.adopting !== undefined)
        ? []
        : [
            `node ${id} has promises of ${Say.nodes(promises.keys())}: the newest log is that of node ${adopting.from}, at ${Say.ballot(adopting.held.acceptedBallot)}`
          ]
    }
    case "Leading": {
      const { adopted, ballot, chosenThrough, followers, source } = proposer
      if (before._tag !== "Leading") {
        const promised = Array.from(followers).flatMap(([node, { mode }]) => (mode === "Unknown" ? [] : [node]))
        const labels = Say.list(room.labels(room.disk(source).entries.slice(0, adopted.acceptedThrough)))
        return [
          `node ${id} leads with ${Say.ballot(ballot)}: ${Say.nodes(promised)} promised`,
          ...(adopted.acceptedThrough === 0
            ? []
            : [`node ${id} must keep ${labels}, accepted at ${Say.ballot(adopted.acceptedBallot)} by node ${source}`])
        ]
      }
      if (chosenThrough === before.chosenThrough) return []
      const voters = Array.from(followers).flatMap(([node, { matched }]) => (matched < chosenThrough ? [] : [node]))
      return [
        `node ${id} sees ${Say.slots(before.chosenThrough, chosenThrough)} chosen: ${Say.nodes(voters)} accepted at ${Say.ballot(ballot)}`
      ]
    }
  }
}
