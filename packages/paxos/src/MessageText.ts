/**
 * Messages as people read them.
 *
 * @since 0.1.0
 */
import * as Ballot from "./Ballot.js"
import type * as Entry from "./Entry.js"
import type { Held } from "./Follower.js"
import type * as Slot from "./Slot.js"
import type * as Message from "./VotingMessage.js"

/**
 * A message between proposer and acceptor as people read it: `Accept 2.1: 3+de, chosen 3, adopted 1.2 through 2`. `run` writes
 * down the entries behind a slot.
 *
 * @since 0.1.0
 * @category formatting
 */
export const format = (
  message: Message.ToAcceptor | Message.ToProposer,
  run: (after: Slot.Slot, entries: ReadonlyArray<Entry.Entry>) => string
): string => {
  const head = `${message._tag} ${Ballot.format(message.ballot)}`
  switch (message._tag) {
    case "Prepare":
      return head
    case "Promise":
      return `${head}: ${heldText(message)}`
    case "Rejected":
      return `${head}: promised ${Ballot.format(message.promised)}, ${heldText(message)}`
    case "Accept": {
      const { acceptedBallot, acceptedThrough } = message.adopted
      const adopted =
        acceptedThrough === 0 ? "" : `, adopted ${Ballot.format(acceptedBallot)} through ${acceptedThrough}`
      return `${head}: ${run(message.after, message.entries)}, chosen ${message.chosenThrough}${adopted}${unlessZero("confirm", message.confirm)}`
    }
    case "Accepted":
      return `${head} through ${message.through}, chosen ${message.chosenThrough}${unlessZero("confirm", message.confirm)}${unlessZero("grant", message.grant)}`
    case "Fetch":
      return `${head} after ${message.after}`
    case "Fetched":
      return `${head}: ${run(message.after, message.entries)}`
    case "Trimmed":
      return `${head} after ${message.after}: through ${message.trimmedThrough}`
    case "Behind":
      return `${head}, from ${message.source}`
  }
}

const heldText = ({ acceptedBallot, acceptedThrough, chosenThrough }: Held): string =>
  `${Ballot.format(acceptedBallot)} through ${acceptedThrough}, chosen ${chosenThrough}`

const unlessZero = (what: string, count: number): string => (count === 0 ? "" : `, ${what} ${count}`)
