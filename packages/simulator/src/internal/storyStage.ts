/**
 * What the commands of a transcript work on: a room, once there is a cluster.
 */
import type { NodeId } from "@synod/paxos"
import type { Quorum } from "@synod/paxos"
import * as Either from "effect/Either"
import { forms, type Selection } from "./storyGrammar.js"
import { Refused } from "./storyRefused.js"
import { Room } from "./room.js"
import * as Say from "./storySentences.js"

type System = Either.Either<Quorum.QuorumSystem, Quorum.QuorumsMiss | Quorum.QuorumsUnusable>

export class Stage {
  private current: Room | undefined
  /** Why the cluster that was asked for last can't be; undefined if it can. */
  refusal: string | undefined
  private lines: Array<string> = []

  open(system: System): void {
    this.current = Either.isRight(system) ? new Room(system.right) : undefined
    this.refusal = Either.isLeft(system) ? system.left.message : undefined
    this.print(
      Either.isRight(system)
        ? `${Say.nodes(system.right.members)}, quorums: ${system.right.name}`
        : `refused: ${system.left.message}`
    )
  }

  get room(): Room {
    if (this.current === undefined) throw new Refused("a cluster first, such as `cluster 5`", "none")
    return this.current
  }

  /** Nodes that exist; throws where one of them doesn't. */
  members(ids: ReadonlyArray<NodeId.NodeId>): ReadonlyArray<NodeId.NodeId> {
    const { members } = this.room
    const stranger = ids.find((id) => !members.includes(id))
    if (stranger !== undefined) throw new Refused(`a node from 1 to ${members.length}`, `node ${stranger}`)
    return ids
  }

  member(id: NodeId.NodeId): NodeId.NodeId {
    this.members([id])
    return id
  }

  /** Messages under way; throws where there is none that is meant. */
  messages(selection: Selection): ReadonlyArray<Say.Addressed> {
    const meant = this.room.messages(selects(selection))
    if (meant.length > 0) return meant
    const all = this.room.messages().map((message) => Say.message(message, this.room.labels))
    throw new Refused("such a message to be under way", all.length === 0 ? "none at all" : all.join("; "))
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

export const selects =
  ({ from, kinds, to }: Selection) =>
  (message: Say.Addressed): boolean =>
    (kinds.size === 0 || kinds.has(message.message._tag)) &&
    (from === undefined || from.has(message.from)) &&
    (to === undefined || to.has(message.to))

/** A command of a transcript. */
export const on = forms<Stage>()
