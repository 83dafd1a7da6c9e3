/**
 * The commands of a transcript: what happens to nodes, messages and clients.
 */
import { Ballot, NodeId, Quorum } from "@synod/paxos"
import type { Form } from "./storyGrammar.js"
import * as Lock from "./storyLock.js"
import { Refused } from "./storyRefused.js"
import * as Say from "./storySentences.js"
import { on, selects, type Stage } from "./storyStage.js"

/** The largest cluster of a story, in nodes: a table with more columns can't be read. */
const largest = 9

const nodesUpTo = (count: number): ReadonlyArray<NodeId.NodeId> => {
  if (count > largest) throw new Refused(`at most ${largest} nodes`, String(count))
  return Array.from({ length: count }, (_, i) => NodeId.make(i + 1))
}

const prepare = ({ room }: Stage, id: NodeId.NodeId, above: Ballot.Ballot): void =>
  room.propose(room.node(id), { _tag: "Campaign", above })

const ask = ({ room }: Stage, name: string, at: NodeId.NodeId, again: boolean): void => {
  const client = room.clients.get(name)
  room.submit(client, at, room.clients.request(client, again))
}

export const commands: ReadonlyArray<Form<Stage>> = [
  on("cluster COUNT", (stage, { COUNT }) => stage.open(Quorum.majority(nodesUpTo(COUNT)))),
  on("cluster COUNT where PREPARE prepare and ACCEPT accept", (stage, { ACCEPT, COUNT, PREPARE }) =>
    stage.open(Quorum.flexible(nodesUpTo(COUNT), { prepare: PREPARE, accept: ACCEPT }))
  ),
  on("clients NAMES", ({ room }, { NAMES }) => room.introduce(NAMES)),

  on("nodes NODES go offline", (stage, { NODES }) => stage.room.goOffline(stage.members(NODES))),
  on("node NODE goes offline", (stage, { NODE }) => stage.room.goOffline([stage.member(NODE)])),
  on("nodes NODES come back", (stage, { NODES }) => stage.room.comeBack(stage.members(NODES))),
  on("node NODE comes back", (stage, { NODE }) => stage.room.comeBack([stage.member(NODE)])),
  on("node NODE crashes", (stage, { NODE }) => stage.room.crash(stage.member(NODE))),
  on("node NODE restarts", (stage, { NODE }) => stage.room.restart(stage.member(NODE))),

  on("node NODE prepares", (stage, { NODE }) => prepare(stage, stage.member(NODE), Ballot.zero)),
  on("node NODE prepares above BALLOT", (stage, { BALLOT, NODE }) => prepare(stage, stage.member(NODE), BALLOT)),
  on("node NODE ticks", (stage, { NODE }) => stage.room.propose(stage.room.node(stage.member(NODE)), { _tag: "Tick" })),
  on("heartbeats", ({ room }) => room.heartbeats()),

  on("NAME opens a session at node NODE", (stage, { NAME, NODE }) =>
    stage.room.submit(stage.room.clients.add(NAME, undefined), stage.member(NODE), Lock.openBatch())
  ),
  on("NAME asks node NODE for the lock", (stage, { NAME, NODE }) => ask(stage, NAME, stage.member(NODE), false)),
  on("NAME asks node NODE again", (stage, { NAME, NODE }) => ask(stage, NAME, stage.member(NODE), true)),

  on("deliver", ({ room }) => room.deliver(() => true)),
  on("deliver MESSAGES", (stage, { MESSAGES }) => {
    stage.messages(MESSAGES)
    stage.room.deliver(selects(MESSAGES))
  }),
  on("repeat MESSAGES", (stage, { MESSAGES }) =>
    stage.messages(MESSAGES).forEach((message) => stage.room.arrive(message))
  ),
  on("drop MESSAGES", (stage, { MESSAGES }) => {
    for (const message of stage.messages(MESSAGES)) {
      stage.room.drop(message)
      stage.print(`lost: ${Say.message(message, stage.room.labels)}`)
    }
  })
]
