/**
 * The statements of a transcript: what it claims to show. One that doesn't hold is refused, so that a transcript can't be
 * written anew with another moral.
 */
import { Ballot } from "@synod/paxos"
import type { Slot } from "@synod/paxos"
import type { Form } from "./storyGrammar.js"
import { Refused } from "./storyRefused.js"
import * as Say from "./storySentences.js"
import { on, type Stage } from "./storyStage.js"

const hold = (stage: Stage, holds: boolean, expected: string, found: string): void => {
  if (!holds) throw new Refused(expected, found)
  stage.print("it holds")
}

/** Who is known to have the lock at the nodes that run. */
const holders = (stage: Stage) =>
  stage.room.nodes.map(({ id, lock }) => ({ id, ...lock.state, holder: lock.state.holder ?? "nobody" }))

const decided = ({ room }: Stage, slot: Slot.Slot): ReadonlyArray<string> =>
  Array.from(new Set(room.labels(room.table.decisions(slot).map(({ entry }) => entry))))

const leaders = ({ room }: Stage) => room.nodes.filter(({ proposer }) => proposer._tag === "Leading")

/** The last word on a request that a client was given: granted, or held by another. */
const lastWord = ({ room }: Stage, name: string): "yes" | "no" | "neither yes nor no" => {
  const word = room.clients.get(name).told.findLast(({ told }) => told._tag === "Granted" || told._tag === "Held")
  return word === undefined ? "neither yes nor no" : word.told._tag === "Granted" ? "yes" : "no"
}

const holdsTheLock = (stage: Stage, name: string, ids: ReadonlyArray<number>): void => {
  const asked = holders(stage).filter(({ id }) => ids.includes(id))
  const found = asked.map(({ holder, id }) => `${holder} at node ${id}`).join(", ")
  const holds = asked.length === ids.length && asked.every(({ holder }) => holder === name)
  hold(stage, holds, `${name} to hold the lock`, found)
}

export const statements: ReadonlyArray<Form<Stage>> = [
  on("expect NAME holds the lock", (stage, { NAME }) => {
    stage.room.clients.get(NAME)
    holdsTheLock(stage, NAME, stage.room.members)
  }),
  on("expect NAME holds the lock at nodes NODES", (stage, { NAME, NODES }) => {
    stage.room.clients.get(NAME)
    holdsTheLock(stage, NAME, stage.members(NODES))
  }),
  on("expect the lock was granted once", (stage) => {
    const counts = holders(stage).map(({ granted, id }) => `${granted} times at node ${id}`)
    const once = holders(stage).every(({ granted, holder }) => granted === (holder === "nobody" ? 0 : 1))
    hold(
      stage,
      once && holders(stage).some(({ granted }) => granted === 1),
      "the lock to be granted once",
      counts.join(", ")
    )
  }),
  on("expect NAME was told yes", (stage, { NAME }) =>
    hold(stage, lastWord(stage, NAME) === "yes", `${NAME} to be told yes`, lastWord(stage, NAME))
  ),
  on("expect NAME was told no", (stage, { NAME }) =>
    hold(stage, lastWord(stage, NAME) === "no", `${NAME} to be told no`, lastWord(stage, NAME))
  ),
  on("expect slot SLOT is decided for NAME", (stage, { NAME, SLOT }) => {
    const found = decided(stage, SLOT)
    hold(
      stage,
      found.length === 1 && found[0] === NAME,
      `slot ${SLOT} to be decided for ${NAME}`,
      Say.list(found) || "nobody"
    )
  }),
  on("expect slot SLOT is undecided", (stage, { SLOT }) => {
    const found = decided(stage, SLOT)
    hold(stage, found.length === 0, `slot ${SLOT} to be undecided`, Say.list(found))
  }),
  on("expect node NODE leads", (stage, { NODE }) => {
    const found = leaders(stage).map(({ id }) => id)
    hold(
      stage,
      found.includes(stage.member(NODE)),
      `node ${NODE} to lead`,
      found.length === 0 ? "that nobody does" : Say.nodes(found)
    )
  }),
  on("expect nobody leads", (stage) => {
    const found = leaders(stage).map(({ id }) => id)
    hold(stage, found.length === 0, "nobody to lead", Say.nodes(found))
  }),
  on("expect node NODE refused BALLOT", (stage, { BALLOT, NODE }) => {
    const refused = stage.room.refusals.filter(({ node }) => node === stage.member(NODE)).map(({ ballot }) => ballot)
    const found = refused.map(Ballot.format).join(", ")
    const holds = refused.some((ballot) => Ballot.equals(ballot, BALLOT))
    hold(stage, holds, `node ${NODE} to have refused ${Ballot.format(BALLOT)}`, found || "no refusal")
  }),
  on("expect BALLOTS", (stage, { BALLOTS }) => {
    const sorted = BALLOTS.toSorted(Ballot.order).map(Ballot.format)
    const rises = BALLOTS.every((ballot, i) => i === 0 || Ballot.lessThan(BALLOTS[i - 1]!, ballot))
    hold(stage, rises, "each ballot to be above the one before it", sorted.join(" <= "))
  }),
  on("expect the cluster was refused", (stage) =>
    hold(stage, stage.refusal !== undefined, "the cluster to be refused", "that it works")
  )
]
