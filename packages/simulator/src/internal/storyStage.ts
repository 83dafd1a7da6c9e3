/**
 * What the commands of a transcript work on: a room or a hall, once there is one.
 */
import { Membership } from "@synod/paxos"
import type { NodeId, Quorum, QuorumSpec, QuorumSystem } from "@synod/paxos"
import * as Either from "effect/Either"
import { Hall } from "./hall.js"
import { Room } from "./room.js"
import { forms, type Selection } from "./storyGrammar.js"
import type { Letter, Operated } from "./storyMail.js"
import { Refused } from "./storyRefused.js"
import * as Say from "./storySentences.js"

/** Where a story takes place: nodes with a log, or with a register. */
export interface Place {
  readonly members: ReadonlyArray<NodeId.NodeId>
  readonly mail: Operated
  readonly spoken: () => ReadonlyArray<string>
}

/** A row of a quorum table. */
export type Row = Quorum.Row

export class Stage {
  private current: Room | Hall | undefined
  /** Why what was asked for last can't be; undefined if it can. */
  refusal: string | undefined
  private rows: Array<Row> = []
  private lines: Array<string> = []

  /** Nodes with a log, all of them founders. */
  openRoom(voters: ReadonlyArray<NodeId.NodeId>, quorums: QuorumSpec.QuorumSpec): void {
    const membership = { voters, learners: [], quorums }
    this.open(Membership.make(membership), () => new Room(membership))
  }

  /** Nodes with a register. */
  openHall(made: Quorum.Made): void {
    this.open(made, (quorums) => new Hall(quorums))
  }

  private open(made: Quorum.Made, place: (quorums: QuorumSystem.QuorumSystem) => Room | Hall): void {
    this.current = Either.isRight(made) ? place(made.right) : undefined
    this.refusal = Either.isLeft(made) ? made.left.message : undefined
    this.print(
      Either.isRight(made)
        ? `${Say.nodes(made.right.members)}, quorums: ${made.right.name}`
        : `refused: ${made.left.message}`
    )
  }

  /** A row for the table of the next hall. */
  addRow(row: Row): void {
    this.rows.push(row)
  }

  /** The rows since the last hall. */
  takeRows(): ReadonlyArray<Row> {
    const { rows } = this
    this.rows = []
    return rows
  }

  get place(): Place {
    if (this.current === undefined) throw new Refused("a cluster first, such as `cluster 5`", "none")
    return this.current
  }

  get room(): Room {
    if (this.place instanceof Room) return this.place
    throw new Refused("nodes with a log, such as those of `cluster 5`", "registers")
  }

  get hall(): Hall {
    if (this.current instanceof Hall) return this.current
    throw new Refused("registers, such as those of `registers 3`", this.current === undefined ? "none" : "a cluster")
  }

  /** Nodes that exist; throws where one of them doesn't. */
  members(ids: ReadonlyArray<NodeId.NodeId>): ReadonlyArray<NodeId.NodeId> {
    const { members } = this.place
    const stranger = ids.find((id) => !members.includes(id))
    if (stranger !== undefined) throw new Refused(`a node from 1 to ${members.length}`, `node ${stranger}`)
    return ids
  }

  member(id: NodeId.NodeId): NodeId.NodeId {
    this.members([id])
    return id
  }

  /** Which messages are meant; throws where there is none of them under way. */
  messages(selection: Selection): (letter: Letter) => boolean {
    const { mail } = this.place
    const matches = selects(selection)
    if (mail.has(matches)) return matches
    throw new Refused("such a message to be under way", mail.texts().join("; ") || "none at all")
  }

  print(...lines: ReadonlyArray<string>): void {
    this.lines.push(...lines)
  }

  /** What is to be shown since the last time. */
  shown(): ReadonlyArray<string> {
    const lines = [...this.lines, ...(this.current?.spoken() ?? [])]
    this.lines = []
    return lines
  }
}

const selects =
  ({ from, kinds, to }: Selection) =>
  (letter: Letter): boolean =>
    (kinds.size === 0 || kinds.has(letter.message._tag)) &&
    (from === undefined || from.has(letter.from)) &&
    (to === undefined || to.has(letter.to))

/** A command of a transcript. */
export const on = forms<Stage>()
