/**
 * The commands of a transcript: what happens to nodes, messages and clients.
 */
import { Ballot, NodeId, Quorum, QuorumSpec } from "@synod/paxos"
import type { Form } from "./storyGrammar.js"
import * as Lock from "./storyLock.js"
import { Refused } from "./storyRefused.js"
import { on, type Stage } from "./storyStage.js"

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
  on("cluster COUNT", (stage, { COUNT }) => stage.openRoom(nodesUpTo(COUNT), QuorumSpec.majority)),
  on("cluster COUNT where PREPARE prepare and ACCEPT accept", (stage, { ACCEPT, COUNT, PREPARE }) =>
    stage.openRoom(nodesUpTo(COUNT), { _tag: "Flexible", prepare: PREPARE, accept: ACCEPT })
  ),
  on("clients NAMES", ({ room }, { NAMES }) => room.introduce(NAMES)),

  on("nodes NODES go offline", (stage, { NODES }) => stage.place.mail.goOffline(stage.members(NODES))),
  on("node NODE goes offline", (stage, { NODE }) => stage.place.mail.goOffline([stage.member(NODE)])),
  on("nodes NODES come back", (stage, { NODES }) => stage.place.mail.comeBack(stage.members(NODES))),
  on("node NODE comes back", (stage, { NODE }) => stage.place.mail.comeBack([stage.member(NODE)])),
  on("node NODE crashes", (stage, { NODE }) => stage.room.crash(stage.member(NODE))),
  on("node NODE restarts", (stage, { NODE }) => stage.room.restart(stage.member(NODE))),
  on("node NODE joins", ({ room }, { NODE }) => room.join(nodesUpTo(NODE)[NODE - 1]!)),
  on("node NODE is asked for voters NODES", (stage, { NODE, NODES }) =>
    stage.room.change(stage.member(NODE), stage.members(NODES))
  ),

  on("node NODE prepares", (stage, { NODE }) => prepare(stage, stage.member(NODE), Ballot.zero)),
  on("node NODE prepares above BALLOT", (stage, { BALLOT, NODE }) => prepare(stage, stage.member(NODE), BALLOT)),
  on("node NODE ticks", (stage, { NODE }) => stage.room.propose(stage.room.node(stage.member(NODE)), { _tag: "Tick" })),
  on("heartbeats", ({ room }) => room.heartbeats()),

  on("NAME opens a session at node NODE", (stage, { NAME, NODE }) =>
    stage.room.submit(stage.room.clients.add(NAME, undefined), stage.member(NODE), Lock.openBatch())
  ),
  on("NAME asks node NODE for the lock", (stage, { NAME, NODE }) => ask(stage, NAME, stage.member(NODE), false)),
  on("NAME asks node NODE again", (stage, { NAME, NODE }) => ask(stage, NAME, stage.member(NODE), true)),

  on("deliver", ({ place }) => place.mail.deliver(() => true)),
  on("deliver MESSAGES", (stage, { MESSAGES }) => stage.place.mail.deliver(stage.messages(MESSAGES))),
  on("repeat MESSAGES", (stage, { MESSAGES }) => stage.place.mail.repeat(stage.messages(MESSAGES))),
  on("drop MESSAGES", (stage, { MESSAGES }) => stage.place.mail.drop(stage.messages(MESSAGES))),

  on("registers COUNT", (stage, { COUNT }) => stage.openHall(Quorum.majority(nodesUpTo(COUNT)))),
  on("registers COUNT all aboard through round ROUND", (stage, { COUNT, ROUND }) =>
    stage.openHall(Quorum.allAboard(nodesUpTo(COUNT), { fast: ROUND }))
  ),
  on("from round ROUND PREPARERS prepare and ACCEPTERS accept", (stage, { ACCEPTERS, PREPARERS, ROUND }) =>
    stage.addRow({ from: ROUND, prepare: PREPARERS, accept: ACCEPTERS })
  ),
  on("registers COUNT by these rows", (stage, { COUNT }) =>
    stage.openHall(Quorum.table(nodesUpTo(COUNT), stage.takeRows()))
  ),
  on("another register", (stage) => {
    stage.hall.begin()
    stage.print("it is empty")
  }),
  on("NAME proposes at node NODE", (stage, { NAME, NODE }) => stage.hall.ask(NAME, stage.member(NODE), true)),
  on("NAME reads at node NODE", (stage, { NAME, NODE }) => stage.hall.ask(NAME, stage.member(NODE), false)),
  on("NAME loses patience", ({ hall }, { NAME }) => hall.losesPatience(NAME)),
  on("NAME tries again", ({ hall }, { NAME }) => hall.triesAgain(NAME))
]
