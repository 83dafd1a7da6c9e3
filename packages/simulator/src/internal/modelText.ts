/**
 * The words and the keys of the core's model: how entries, messages and states are told, and when two of them are the same.
 */
import * as Ballot from "@synod/paxos/Ballot"
import * as Entry from "@synod/paxos/Entry"
import type * as Membership from "@synod/paxos/Membership"
import * as Log from "@synod/paxos/Log"
import * as Message from "@synod/paxos/Message"
import type * as Proposer from "@synod/paxos/Proposer"

/** What the leader of `ballot` proposes for a slot; no two ballots of any epoch propose the same, so that each mix-up is seen. */
export const entry = (epoch: number, ballot: Ballot.Ballot, slot: number): Entry.Entry =>
  Entry.commands(0, Uint8Array.of(ballot.round, ballot.node, slot, epoch))

/** The stop sign that it proposes: its time, which means nothing here, tells it from those of other ballots. */
export const stopSign = (
  epoch: number,
  ballot: Ballot.Ballot,
  slot: number,
  membership: Membership.Membership
): Entry.Entry => Entry.stopSign(10_000 * ballot.round + 100 * ballot.node + slot, epoch, membership)

/** `1.2/3`: proposed at ballot 1.2 for slot 3; `1.2/3 of 2` in epoch 2, `1.2/3 ends 1`: a stop sign. */
export const label = (entry: Entry.Entry): string => {
  if (entry._tag === "StopSign") {
    const { epoch, time } = entry
    return `${Math.floor(time / 10_000)}.${Math.floor(time / 100) % 100}/${time % 100} ends ${epoch}`
  }
  const [round, node, slot, epoch] = entry.batch
  return `${round}.${node}/${slot}${epoch === 1 ? "" : ` of ${epoch}`}`
}

export const labels = (entries: ReadonlyArray<Entry.Entry>): string => `[${entries.map(label).join(" ")}]`

/**
 * Equal for values that behave alike: entries by what they hold, logs by the slots in memory and not by the array they
 * share with older versions. The order in which a map was filled counts, since it may decide between equals; that of a set doesn't.
 */
export const keyOf = (value: unknown): string => JSON.stringify(value, plain)

const plain = (_name: string, value: unknown): unknown => {
  if (value instanceof Uint8Array) return value.join(".")
  if (value instanceof Map) return Array.from(value)
  if (value instanceof Set) return Array.from(value).sort()
  return isLog(value) ? { base: value.base, entries: Log.slice(value, value.base) } : value
}

const isLog = (value: unknown): value is Log.Log =>
  typeof value === "object" && value !== null && "buffer" in value && "offset" in value && "base" in value

/** `Accept 2.1: 1+[2.1/2], chosen 1`. */
export const message = (body: Message.ToAcceptor | Message.ToProposer | Message.Learned): string =>
  body._tag === "Learned"
    ? `Learned ${body.after}+${labels(body.entries)}, chosen in epoch ${body.epoch} through ${Ballot.format(body.ballot)}`
    : Message.format(body, (after, entries) => `${after}+${labels(entries)}`)

export const proposer = (self: Proposer.State): string => {
  switch (self._tag) {
    case "Following":
      return `follows ${Ballot.format(self.highest)}`
    case "Preparing":
      return `prepares ${Ballot.format(self.ballot)}, promised by {${Array.from(self.promises.keys()).join(", ")}}`
    case "Leading":
      return `leads ${Ballot.format(self.ballot)} through slot ${self.log.through}, chosen through ${self.chosenThrough}`
  }
}
