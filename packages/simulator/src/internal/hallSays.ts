/**
 * What the nodes of a hall say of their steps, in sentences.
 */
import { Ballot, RegisterRound } from "@synod/paxos"
import type { NodeId, QuorumSystem, Register, RegisterAcceptor, RegisterMessage, RegisterProposer } from "@synod/paxos"
import type { Request } from "./hallRequest.js"
import * as Say from "./storySentences.js"

type Phase = RegisterProposer.Phase

/** A value of a story is a name. */
export const value = (text: string): Register.Value => new TextEncoder().encode(text)

export const text = (value: Register.Value): string => new TextDecoder().decode(value)

const holding = (accepted: Register.Cell | null): string =>
  accepted === null ? "holding nothing" : `holding ${text(accepted.value)} at ${Say.ballot(accepted.ballot)}`

/** A message on its way, in short. */
export const message = (
  from: NodeId.NodeId,
  to: NodeId.NodeId,
  message: RegisterMessage.ToAcceptor | RegisterMessage.ToProposer
): string => {
  const ballot = "ballot" in message ? ` ${Say.ballot(message.ballot)}` : ""
  const what = "value" in message ? ` ${text(message.value)}` : ""
  return `${message._tag}${ballot}${what} from ${from} to ${to}`
}

/** What an acceptor answers. */
export const answered = (
  id: NodeId.NodeId,
  before: RegisterAcceptor.State,
  asked: RegisterMessage.ToAcceptor,
  answer: RegisterMessage.ToProposer
): ReadonlyArray<string> => {
  switch (answer._tag) {
    case "Promise":
      return [`node ${id} promises ${Say.ballot(answer.ballot)}, ${holding(answer.accepted)}`]
    case "Accepted":
      return asked._tag === "Accept" ? [`node ${id} writes ${text(asked.value)} at ${Say.ballot(answer.ballot)}`] : []
    case "Rejected":
      return [
        `node ${id} refuses ${asked._tag} ${Say.ballot(answer.ballot)}: it has promised ${Say.ballot(answer.promised)}, ${holding(answer.accepted)}`
      ]
    case "Held":
      return [`node ${id} is looked at, ${holding(answer.accepted)}${answer.decided ? ", which is decided" : ""}`]
    case "Decided":
      if (!before.decided) return [`node ${id} learns that ${text(answer.value)} is decided`]
      return asked._tag === "Decided" ? [] : [`node ${id} says that ${text(answer.value)} is decided`]
  }
}

/** A ballot that its proposer has just made? */
export const isNewAttempt = (before: Phase, after: Phase): after is Extract<Phase, { readonly _tag: "Preparing" }> =>
  after._tag === "Preparing" && (before._tag !== "Preparing" || !Ballot.equals(before.ballot, after.ballot))

/** What a proposer does next. */
export const proposed = (
  { at, delays, name, state, waits }: Request,
  { phase: before }: RegisterProposer.State,
  quorums: QuorumSystem.QuorumSystem
): ReadonlyArray<string> => {
  const { phase } = state
  if (isNewAttempt(before, phase)) {
    const { ballot } = phase
    const fast = RegisterRound.isFast(quorums, ballot.round) ? ", a fast round of its own," : ""
    return [`node ${at} prepares ${Say.ballot(ballot)}${fast} for ${name}`]
  }
  if (phase._tag === before._tag) return []
  switch (phase._tag) {
    case "Inspecting":
      return [`node ${at} looks for ${name} at what all hold`]
    case "Accepting": {
      const may = text(phase.value) === name ? "proposes" : "must propose"
      return [`node ${at} ${may} ${text(phase.value)} at ${Say.ballot(phase.ballot)}`]
    }
    case "Waiting":
      return [`node ${at} makes a pause for ${name}: too many have refused`]
    case "Finished": {
      const told = phase.decided === null ? "nothing is decided" : `${text(phase.decided.value)} is decided`
      return [`node ${at} tells ${name}: ${told}, after ${took(delays, waits)}`]
    }
    default:
      return []
  }
}

/** `2 message delays`, `4 message delays and a wait`. */
export const took = (delays: number, waits: number): string => {
  const waited = waits === 0 ? "" : waits === 1 ? " and a wait" : ` and ${waits} waits`
  return `${delays} message ${delays === 1 ? "delay" : "delays"}${waited}`
}
