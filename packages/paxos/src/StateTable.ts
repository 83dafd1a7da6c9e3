/**
 * The state table of Howard and Mortier (*A Generalised Solution to Distributed Consensus*, 2019), of one register: a row of
 * write-once cells for each ballot, and a column for each acceptor. A promise writes nil into the empty cells below it.
 *
 * ```
 *   lock/1  node 1   node 2   node 3
 *   1.1     alice    nil      -          written, blocked, still open
 *   1.2     [alice]  [alice]  -          decided
 * ```
 *
 * An acceptor remembers what it accepted last only: what its cells below that hold is shown as `…`, and all of one that did not
 * answer as `?`.
 *
 * @since 0.1.0
 */
import * as Ballot from "./Ballot.js"
import type { NodeId } from "./NodeId.js"
import type { QuorumSystem } from "./QuorumSystem.js"
import * as Register from "./Register.js"
import type { Held } from "./RegisterMessage.js"

/**
 * `Open`: nothing was written, and may be yet. `Nil`: nothing was, nor will be. `Gone`: no longer known. `Silent`: not to be had.
 *
 * @since 0.1.0
 * @category models
 */
export type Cell =
  | { readonly _tag: "Written"; readonly value: Register.Value; readonly decided: boolean }
  | { readonly _tag: "Open" | "Nil" | "Gone" | "Silent" }

/**
 * @since 0.1.0
 * @category models
 */
export interface Row {
  readonly ballot: Ballot.Ballot
  /** In the order of the table's nodes. */
  readonly cells: ReadonlyArray<Cell>
}

/**
 * @since 0.1.0
 * @category models
 */
export interface StateTable {
  readonly key: string
  readonly nodes: ReadonlyArray<NodeId>
  /** In ascending order of ballots. */
  readonly rows: ReadonlyArray<Row>
  /** What is decided, as far as the cells show. */
  readonly decided: Register.Value | null
}

/**
 * The table of a register, from what its acceptors said that they hold.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (key: string, quorums: QuorumSystem, held: ReadonlyMap<NodeId, Held>): StateTable => {
  const nodes = quorums.members
  const rows = ballotsOf(held.values()).map((ballot): Row => {
    const row = new Map<NodeId, Register.Value>()
    for (const [node, { accepted }] of held) {
      if (accepted !== null && Ballot.equals(accepted.ballot, ballot)) row.set(node, accepted.value)
    }
    const isDecided = (value: Register.Value): boolean => {
      const same = nodes.filter((node) => row.has(node) && Register.equals(row.get(node)!, value))
      return quorums.isAcceptQuorum(ballot.round, new Set(same)) || same.some((node) => held.get(node)!.decided)
    }
    const cell = (node: NodeId): Cell => {
      const value = row.get(node)
      return value === undefined
        ? unwritten(ballot, held.get(node))
        : { _tag: "Written", value, decided: isDecided(value) }
    }
    return { ballot, cells: nodes.map(cell) }
  })
  const decided = rows.flatMap(({ cells }) => cells).find((cell) => cell._tag === "Written" && cell.decided)
  return { key, nodes, rows, decided: decided?._tag === "Written" ? decided.value : null }
}

/**
 * As lines of text, in columns; `label` shows a value.
 *
 * @since 0.1.0
 * @category formatting
 */
export const format = (
  { key, nodes, rows }: StateTable,
  label: (value: Register.Value) => string
): ReadonlyArray<string> => {
  const show = (cell: Cell): string => {
    if (cell._tag !== "Written") return marks[cell._tag]
    return cell.decided ? `[${label(cell.value)}]` : label(cell.value)
  }
  const lines = [
    [key, ...nodes.map((node) => `node ${node}`)],
    ...rows.map(({ ballot, cells }) => [Ballot.format(ballot), ...cells.map(show)])
  ]
  const widths = lines[0]!.map((_, i) => Math.max(...lines.map((line) => line[i]!.length)))
  return lines.map((line) =>
    line
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join("  ")
      .trimEnd()
  )
}

const marks = { Open: "-", Nil: "nil", Gone: "…", Silent: "?" } as const

const unwritten = (ballot: Ballot.Ballot, held: Held | undefined): Cell => {
  if (held === undefined) return { _tag: "Silent" }
  if (held.accepted !== null && Ballot.lessThan(ballot, held.accepted.ballot)) return { _tag: "Gone" }
  return { _tag: Ballot.lessThan(ballot, held.promised) ? "Nil" : "Open" }
}

/** All that anybody promised or accepted at. */
const ballotsOf = (all: Iterable<Held>): ReadonlyArray<Ballot.Ballot> => {
  const ballots = new Map<string, Ballot.Ballot>()
  for (const { accepted, promised } of all) {
    for (const ballot of [promised, accepted?.ballot ?? Ballot.zero]) {
      if (Ballot.greaterThan(ballot, Ballot.zero)) ballots.set(Ballot.format(ballot), ballot)
    }
  }
  return Array.from(ballots.values()).sort(Ballot.order)
}
