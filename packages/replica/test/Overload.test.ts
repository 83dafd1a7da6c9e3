/** Clients ask for three times what the replicas can do: as much is done as before, and the rest is refused. */
import { expect, it } from "@effect/vitest"
import { Journal } from "@synod/journal"
import { ReplicaConfig } from "@synod/replica"
import { Command, Envelope } from "@synod/state-machine"
import { Array, Clock, Effect, Either, Layer, Logger } from "effect"
import * as Cluster from "./Cluster.js"
import * as VirtualTime from "./VirtualTime.js"

/** Disks decide how much can be done: every write takes this long. */
const write = "20 millis"

const config: ReplicaConfig.Values = {
  ...ReplicaConfig.defaults,
  pipeline: 2,
  batchEnvelopes: 4,
  envelope: 512,
  waitingBytes: 1536
}

const slow = Layer.scoped(
  Journal.Journal,
  Effect.map(Effect.flatMap(Journal.makeMemoryDisk, Journal.makeMemory), (journal) => ({
    ...journal,
    write: (change) => Effect.delay(journal.write(change), write)
  }))
)

/** What became of the commands of so many clients within ten seconds. Each has two requests of one command under way. */
const asked = (clients: number) =>
  Effect.gen(function* () {
    const cluster = yield* Effect.provideService(
      Cluster.make(() => slow),
      ReplicaConfig.ReplicaConfig,
      config
    )
    yield* cluster.leader
    const counts = { done: 0, refused: 0, otherwise: 0 }
    const end = (yield* Clock.currentTimeMillis) + 10_000
    const callers = yield* Effect.forEach(Array.range(0, clients - 1), (i) =>
      Effect.map(cluster.client(cluster.nodes, { requests: 2, commands: 1 }), (client) => ({ client, i }))
    )
    const caller = (client: Cluster.TallyClient, name: string) =>
      Effect.gen(function* () {
        for (let n = 0; (yield* Clock.currentTimeMillis) < end; n++) {
          const outcome = yield* Effect.either(client.Add({ key: `${name}/${n}` }))
          if (outcome._tag === "Right") counts.done++
          else if (outcome.left._tag === "Overloaded") {
            counts.refused++
            yield* Effect.sleep(outcome.left.retryAfter)
          } else counts.otherwise++
        }
      })
    yield* Effect.forEach(
      callers.flatMap(({ client, i }) => [0, 1].map((k) => caller(client, `${i}.${k}`))),
      (one) => one,
      { concurrency: "unbounded" }
    )
    return counts
  }).pipe(Effect.scoped)

it.scoped(
  "at three times the load that saturates them, replicas do nine tenths of their best and refuse the rest",
  () =>
    Effect.gen(function* () {
      const peak = yield* asked(16)
      const flood = yield* asked(48)
      expect(flood.done).toBeGreaterThanOrEqual(0.9 * peak.done)
      expect(flood.refused).toBeGreaterThan(0)
      expect(peak.otherwise + flood.otherwise).toBe(0)
    }).pipe(Effect.scoped, Effect.provide(Logger.remove(Logger.defaultLogger)), VirtualTime.provide)
)

it.scoped("what there is no room for isn't looked into: it may be asked again, fit or not", () =>
  Effect.gen(function* () {
    const cluster = yield* Effect.provideService(
      Cluster.make(() => slow),
      ReplicaConfig.ReplicaConfig,
      config
    )
    const { submit } = cluster.endpoint(yield* cluster.leader)
    const ask = (command: Uint8Array) =>
      Effect.either(
        submit(Envelope.encode(Envelope.call({ session: 1, acknowledged: 1, first: 1, commands: [command] })))
      )
    const unfit = new Uint8Array(400).fill(255)
    expect(Either.flip(yield* ask(unfit))).toMatchObject({ right: { _tag: "Unfit", index: 0 } })
    const fit = Either.getOrThrow(Command.encode("Add", { key: "x".repeat(400) }))
    const again = Effect.forever(Effect.zipRight(ask(fit), Effect.sleep("1 millis")))
    yield* Effect.forkScoped(
      Effect.all(
        Array.makeBy(32, () => again),
        { concurrency: "unbounded" }
      )
    )
    yield* Cluster.until(
      "there is no room for it",
      Effect.map(ask(unfit), (answer) => Either.isLeft(answer) && answer.left._tag === "Overloaded")
    )
  }).pipe(Effect.provide(Logger.remove(Logger.defaultLogger)), VirtualTime.provide)
)
