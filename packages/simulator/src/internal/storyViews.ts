/**
 * The views of a transcript: what each node holds, what is on its way, what everybody was told.
 */
import { Ballot, Slot } from "@synod/paxos"
import type { NodeId } from "@synod/paxos"
import type { Form } from "./storyGrammar.js"
import { Hall } from "./hall.js"
import type { Room } from "./room.js"
import * as Say from "./storySentences.js"
import { on, type Stage } from "./storyStage.js"

/** A line a node: its promise, its log and how far it is known to be chosen, its lock, and what its proposer does. */
const state = (room: Room): ReadonlyArray<string> => {
  // Stories of one epoch have no need to say so.
  const epochs = room.members.some((id) => room.held(id).epochs.present.number !== 1)
  return Say.columns([
    ["", ...(epochs ? ["epoch"] : []), "promised", "accepted", "log", "chosen", "applied", "lock", "proposer"],
    ...room.members.map((id) => {
      const { entries } = room.disk(id)
      const held = room.held(id)
      const node = room.nodes.find((node) => node.id === id)
      return [
        `node ${id}`,
        ...(epochs ? [String(held.epochs.present.number || "-")] : []),
        ballotOr(held.promised),
        ballotOr(held.acceptedBallot),
        entries.length === 0 ? "-" : room.labels(entries).join(", "),
        String(held.chosenThrough),
        ...(node === undefined
          ? ["", "", "crashed"]
          : [String(node.learner.appliedThrough), node.lock.state.holder ?? "free", phase(node.proposer)])
      ]
    })
  ])
}

const ballotOr = (ballot: Ballot.Ballot): string => (Ballot.equals(ballot, Ballot.zero) ? "-" : Ballot.format(ballot))

const phase = (proposer: Room["nodes"][number]["proposer"]): string =>
  proposer._tag === "Following" ? "Following" : `${proposer._tag} ${Ballot.format(proposer.ballot)}`

/** A line a slot: what each node's log holds there, in parentheses where the node does not know it to be chosen. */
const log = (room: Room): ReadonlyArray<string> => {
  const length = Math.max(...room.members.map((id) => room.disk(id).entries.length))
  const cell = (id: NodeId.NodeId, slot: number): string => {
    const entry = room.disk(id).entries[slot - 1]
    if (entry === undefined) return "-"
    const label = room.clients.label(entry)
    return slot <= room.held(id).chosenThrough ? label : `(${label})`
  }
  return Say.columns([
    ["", ...room.members.map((id) => `node ${id}`)],
    ...Array.from({ length }, (_, i) => [`slot ${i + 1}`, ...room.members.map((id) => cell(id, i + 1))])
  ])
}

const says = ({ clients }: Room): ReadonlyArray<string> =>
  clients.all.flatMap(({ name, told }) =>
    told.length === 0
      ? [`${name} was told nothing`]
      : told.map(({ node, told }) => `${name} was told by node ${node}: ${Say.reply(told)}`)
  )

const tableOf = ({ clients, table }: Room, slot: Slot.Slot): ReadonlyArray<string> => table.render(slot, clients.label)

export const views: ReadonlyArray<Form<Stage>> = [
  on("state", (stage) => stage.print(...state(stage.room))),
  on("log", (stage) => stage.print(...log(stage.room))),
  on("table", (stage) => {
    const { place } = stage
    stage.print(...(place instanceof Hall ? place.table() : tableOf(stage.room, Slot.make(1))))
  }),
  on("table of slot SLOT", (stage, { SLOT }) => stage.print(...tableOf(stage.room, SLOT))),
  on("says", (stage) => stage.print(...says(stage.room))),
  on("messages", (stage) => {
    const all = stage.place.mail.texts()
    stage.print(...(all.length === 0 ? ["nothing is under way"] : all))
  })
]
