/**
 * The statements of a transcript: what it claims to show. One that doesn't hold is refused, so that a transcript can't be
 * written anew with another moral.
 */
import { Ballot } from "@synod/paxos"
import type { Slot } from "@synod/paxos"
import type { Form } from "./storyGrammar.js"
import * as HallSays from "./hallSays.js"
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

/** What a client of a register was told, and how long it took. */
const answerOf = ({ hall }: Stage, name: string) => {
  const { delays, state, waits } = hall.request(name)
  if (state.phase._tag !== "Finished") return { delays, waits, told: "no answer" }
  const { decided } = state.phase
  return { delays, waits, told: decided === null ? "nothing" : HallSays.text(decided.value) }
}

const took = (stage: Stage, name: string, delays: number, waits: number): void => {
  const { told, ...answer } = answerOf(stage, name)
  const found = told === "no answer" ? told : HallSays.took(answer.delays, answer.waits)
  const expected = HallSays.took(delays, waits)
  hold(stage, found === expected, `${name} to be answered after ${expected}`, found)
}

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
  on("expect nodes NODES vote in epoch COUNT", (stage, { COUNT, NODES }) => {
    const voters = Say.list(stage.members(NODES))
    const found = stage.room.nodes
      .filter(({ id }) => NODES.includes(id))
      .map(({ epoch, id }) => `node ${id} in epoch ${epoch.number} of ${Say.list(epoch.membership.voters)}`)
    const holds = NODES.every((id) => found.includes(`node ${id} in epoch ${COUNT} of ${voters}`))
    hold(
      stage,
      holds,
      `all of ${voters} to run, in epoch ${COUNT} of ${voters}`,
      found.join(", ") || "that none of them runs"
    )
  }),
  on("expect NAME learns WINNER", (stage, { NAME, WINNER }) => {
    const { told } = answerOf(stage, NAME)
    hold(stage, told === WINNER, `${NAME} to learn ${WINNER}`, told)
  }),
  on("expect NAME was answered after COUNT message delays", (stage, { COUNT, NAME }) => took(stage, NAME, COUNT, 0)),
  on("expect NAME was answered after COUNT message delays and a wait", (stage, { COUNT, NAME }) =>
    took(stage, NAME, COUNT, 1)
  ),
  on("expect the register is decided for NAME", (stage, { NAME }) => {
    const { decided } = stage.hall
    const holds = decided.length === 1 && decided[0] === NAME
    hold(stage, holds, `the register to be decided for ${NAME}`, Say.list(decided) || "nobody")
  }),
  on("expect the register is decided at BALLOTS", (stage, { BALLOTS }) => {
    const found = stage.hall.decisions.map(Ballot.format)
    const expected = BALLOTS.map(Ballot.format)
    hold(
      stage,
      found.join() === expected.join(),
      `it to be decided at ${Say.list(expected)}`,
      Say.list(found) || "none"
    )
  }),
  on("expect the register is undecided", (stage) => {
    const { decided } = stage.hall
    hold(stage, decided.length === 0, "the register to be undecided", Say.list(decided))
  }),
  on("expect nothing can be decided at BALLOTS", (stage, { BALLOTS }) => {
    const open = BALLOTS.filter((ballot) => !stage.hall.isBlocked(ballot)).map(Ballot.format)
    hold(stage, open.length === 0, "no ballot of these that could still decide", Say.list(open))
  }),
  on("expect the cluster was refused", (stage) =>
    hold(stage, stage.refusal !== undefined, "the cluster to be refused", "that it works")
  )
]
