/**
 * What the nodes of a room say of their steps, in sentences.
 */
import { Ballot } from "@synod/paxos"
import type { Acceptor, Entry, Membership, MembershipChange, Message, NodeId, Proposer } from "@synod/paxos"
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
  { _tag }: Pick<Say.Addressed["message"], "_tag">,
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
      const isInEpoch = before.epochs.present === acceptor.epochs.present
      const isNew = isInEpoch && !Ballot.equals(before.acceptedBallot, acceptor.acceptedBallot)
      const after = isNew ? before.epochs.present.after : before.log.through
      const labels = Say.list(room.labels(disk.entries.slice(after)))
      return [
        ...(log.through > after
          ? [`node ${id} accepts ${labels} in ${Say.slots(after, log.through)} at ${ballot}`]
          : []),
        ...(isNew && log.through === after ? [`node ${id} follows ${ballot}`] : []),
        ...(chosenThrough > before.chosenThrough
          ? [`node ${id} learns that ${Say.areChosen(before.chosenThrough, chosenThrough)}`]
          : [])
      ]
    }
  }
}

export const proposed = (
  room: Seen,
  { epoch, id, proposer }: RoomNode,
  before: Proposer.State
): ReadonlyArray<string> => {
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
        const labels = Say.list(room.labels(room.disk(source).entries.slice(epoch.after, adopted.acceptedThrough)))
        return [
          `node ${id} leads with ${Say.ballot(ballot)}: ${Say.nodes(promised)} promised`,
          ...(adopted.acceptedThrough === epoch.after
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

/** What a node knows to be chosen that another one asked for. */
export const taught = (
  room: Seen,
  { id }: RoomNode,
  to: NodeId.NodeId,
  { after, entries }: Message.Learned
): ReadonlyArray<string> =>
  entries.length === 0
    ? []
    : [
        `node ${id} tells node ${to} what is chosen in ${Say.slots(after, after + entries.length)}: ${Say.list(room.labels(entries))}`
      ]

/** What a node learned from another one. */
export const learned = (
  { acceptor, id }: RoomNode,
  { chosenThrough }: Acceptor.State,
  { _tag }: Pick<Say.Addressed["message"], "_tag">
): ReadonlyArray<string> =>
  _tag === "Learned" && acceptor.chosenThrough > chosenThrough
    ? [`node ${id} learns that ${Say.areChosen(chosenThrough, acceptor.chosenThrough)}`]
    : []

/** `nodes 1 and 2 vote, node 3 learns`. */
export const membership = ({ learners, voters }: Membership.Membership): string => {
  const learning = learners.length === 0 ? "" : `, ${Say.nodes(learners)} ${learners.length === 1 ? "learns" : "learn"}`
  return `${Say.nodes(voters)} ${voters.length === 1 ? "votes" : "vote"}${learning}`
}

/** Why a change of members is not proposed. */
export const unchanged = ({ id }: RoomNode, refusal: MembershipChange.Refusal): string => {
  switch (refusal._tag) {
    case "NotLeading":
      return `node ${id} does not lead, and changes nothing`
    case "OtherEpoch":
      return `node ${id} is in epoch ${refusal.present.number}, and changes nothing`
    case "Unchanged":
      return `node ${id} changes nothing: it is so already`
    case "Busy":
      return `node ${id} changes nothing yet: it has only just begun, another change is under way, or somebody does not keep up`
    case "Unsafe":
      return `node ${id} refuses: ${refusal.error.message}`
  }
}

export const isToAcceptor = (message: Say.Addressed["message"]): message is Message.ToAcceptor =>
  message._tag === "Prepare" || message._tag === "Accept" || message._tag === "Fetch" || message._tag === "Behind"
