/**
 * hashicorp/raft as a program in Go embeds it, on default settings: BoltDB, which flushes every batch before it is acknowledged, and TCP.
 * Its callers are in the process of the leader; a read asks a majority whether that still leads.
 */
import { Effect, Schedule, Scope } from "effect"
import * as Path from "node:path"
import { type Insist, Timeline } from "../../Insist.js"
import { Sample } from "../../Load.js"
import { freePorts, host } from "../../Ports.js"
import { type Members, places, type System, SystemFailed } from "../../System.js"
import { value } from "../../synod/KeyValue.js"
import * as Worker from "../../Worker.js"
import * as Go from "../Go.js"

const name = "hashicorp/raft"

export const Raft: System = {
  name,
  lacks: () => Go.lacks(name, "raft"),
  offers: (client) => client === "embedded",
  start: ({ directory }) =>
    Effect.gen(function* () {
      const scope = yield* Effect.scope
      const file = yield* Go.build("raft")
      const addresses = (yield* freePorts(places.length)).map((port) => `${host}:${port}`)
      const running = new Map<number, Worker.Worker>()
      const start = (member: number) =>
        Worker.startForeign({
          ...{ system: name, file },
          settings: { member, addresses, directory: Path.join(directory, `raft-${member}`), value: value.length }
        }).pipe(
          Effect.map((worker) => void running.set(member, worker)),
          Effect.provideService(Scope.Scope, scope)
        )
      yield* Effect.forEach(places, start, { discard: true })
      const leader = leaderOf(running)
      yield* leader
      const members: Members = {
        leader,
        kill: (member) =>
          Effect.suspend(() => {
            const worker = running.get(member)
            running.delete(member)
            return worker?.kill ?? Effect.void
          }),
        start,
        insist: (asked) => insist(running, asked),
        enough: (id) => enough(running, id)
      }
      return {
        processes: Array.from(running.values(), ({ pid }) => pid),
        clients: [],
        measure: (_client, load) =>
          Effect.flatMap(leader, (member) =>
            Effect.flatMap(running.get(member)!.ask("measure", load), Worker.decode(Sample))
          ),
        members
      }
    })
}

const enough = (running: ReadonlyMap<number, Worker.Worker>, id: number) =>
  Effect.forEach([...running.values()], (worker) => Effect.ignore(worker.ask("enough", id)), { discard: true })

/** At every member, since it is not known which one is to lead; what a member has answered that is killed meanwhile, nobody knows. */
const insist = (running: ReadonlyMap<number, Worker.Worker>, asked: Insist) =>
  Effect.forEach(
    [...running.values()],
    (worker) =>
      Effect.flatMap(worker.ask("insist", asked), Worker.decode(Timeline)).pipe(
        Effect.tap(({ answered }) => (answered.length < asked.answers ? Effect.void : enough(running, asked.id))),
        Effect.orElseSucceed((): Timeline => ({ answered: [] }))
      ),
    { concurrency: "unbounded" }
  ).pipe(Effect.map((all) => ({ answered: all.flatMap(({ answered }) => answered).sort((a, b) => a - b) })))

/** The member that leads, as it says of itself; one does some seconds after the start. */
const leaderOf = (running: ReadonlyMap<number, Worker.Worker>): Members["leader"] =>
  Effect.suspend(() =>
    Effect.findFirst(running, ([, worker]) => Effect.map(worker.ask("leads"), (leads) => leads === true))
  ).pipe(
    Effect.flatten,
    Effect.map(([member]) => member),
    Effect.retry(Schedule.intersect(Schedule.spaced("50 millis"), Schedule.recurs(400))),
    Effect.mapError(() => new SystemFailed({ system: name, reason: "no member leads after 20 seconds" }))
  )
