/**
 * What a run in a simulated world tells of itself: what should happen in some run of many, and did in this one.
 *
 * @internal
 */
import type { ReplicaConfig } from "@synod/replica"
import * as Atlas from "../Atlas.js"
import type * as Clients from "../Clients.js"
import type * as Followers from "../Followers.js"
import type * as Machines from "../Machines.js"
import * as Partition from "../Partition.js"
import type * as Witness from "../Witness.js"
import type { Verdict } from "./judge.js"
import { electionTimeout } from "./worldSetting.js"

const goesOn = "a write fails, and its replica goes on from what it reads"

const membersChange = "members change while clients call"
const isRefused = "a replica without its journal is refused"
const sessionsEnd = "a session ends while clients call"
const resolves = "an unknown outcome is asked for, and the command was applied"
const withdraws = "an unknown outcome is asked for, and the command never will be applied"

/** @internal */
export const liveWith = (core: Atlas.Kind): string => `live again with the core ${core}`

/** @internal */
export const settledWith = (core: Atlas.Kind, { lease }: ReplicaConfig.Values): string =>
  `settled with the core ${core}${lease === "off" ? "" : ", with leases"}`

/** Who has seen it. @internal */
export interface Witnesses {
  readonly machines: Machines.Machines
  readonly witness: Witness.Witness<any>
  readonly clients: Clients.Clients
  readonly followers: Followers.Followers
  /** Epochs that began behind the first. */
  readonly changes: number
  /** What was left alone after the last fault, and whether so much was left that it had to live. */
  readonly core: Atlas.Kind
  readonly survives: boolean
  /** When that answered clients again, in milliseconds. */
  readonly live: number
  /** Whether the machine is one on tables. */
  readonly onTables: boolean
  readonly verdict: Verdict
}

/** How often each of these did. @internal */
export const happened = ({
  clients,
  changes,
  core,
  followers,
  live,
  machines,
  onTables,
  survives,
  verdict,
  witness
}: Witnesses): ReadonlyArray<readonly [string, number]> => [
  ["a command is applied", witness.applied() > 0 ? 1 : 0],
  ["a command is sent again, and applied once", witness.repeats()],
  ["the lead changes", witness.ballots() > 1 ? 1 : 0],
  ["a leader hands over", machines.handedOver()],
  [membersChange, changes],
  [isRefused, machines.refused()],
  [sessionsEnd, witness.endings()],
  [resolves, clients.resolved().applied],
  [withdraws, clients.resolved().withdrawn],
  [goesOn, witness.recoveries()],
  ...(onTables ? tablesDo(machines, witness) : []),
  [liveWith(core), survives ? 1 : 0],
  ["a log is trimmed", witness.trimmed() > 0 ? 1 : 0],
  ["a machine goes on from a snapshot", witness.restored()],
  ["a snapshot takes the place of a log", witness.installed()],
  ["a follower is shown commands", followers.shown().commands],
  ["a follower is shown answers to a query", followers.shown().answers],
  ["a follower is shown what is in the log only", witness.replays()],
  ["a follower asks for what is in no log any more", followers.refused()],
  ["live again within 5 election timeouts", survives && live <= 5 * electionTimeout ? 1 : 0],
  ["a history is found linearizable", verdict === "linearizable" ? 1 : 0]
]

/** What should happen in some run of many. Three replicas know no ring. @internal */
export const sometimes = ({ replicas }: { readonly replicas: number }): ReadonlyArray<string> => [
  "a command is applied",
  "a command is sent again, and applied once",
  "the lead changes",
  "a leader hands over",
  membersChange,
  isRefused,
  sessionsEnd,
  resolves,
  withdraws,
  goesOn,
  ...Atlas.kinds
    .filter((kind) => kind === "whole" || kind === "quorum" || replicas >= Partition.fewest(kind))
    .map(liveWith),
  "a log is trimmed",
  "a machine goes on from a snapshot",
  "a snapshot takes the place of a log",
  "a follower is shown commands",
  "a follower is shown answers to a query",
  "a follower is shown what is in the log only",
  "a follower asks for what is in no log any more",
  "live again within 5 election timeouts",
  "a history is found linearizable"
]

/** What should happen in some run of many with a machine on tables. @internal */
export const sometimesOnTables = [
  "tables lose what was not synced, and the log gives it back",
  "a machine can't write, and goes on",
  "a log is applied once more, to tables beside those of the machine"
] as const

const tablesDo = (machines: Machines.Machines, witness: Witness.Witness<any>) => {
  const [fallsBack, fails, replays] = sometimesOnTables
  const fallbacks = machines.all.reduce((sum, { tables }) => sum + tables.fallbacks(), 0)
  return [[fallsBack, fallbacks] as const, [fails, witness.failures()] as const, [replays, witness.replays()] as const]
}
