/** Whoever shares a process with replicas and their callers has turns of the event loop: timers, sockets, other requests. */
import { expect, it } from "@effect/vitest"
import { Journal, JournalStore } from "@synod/journal"
import { Replica, Single } from "@synod/replica"
import { Effect, Layer } from "effect"
import { Tally, TallyLive } from "./Tally.js"

/** How often the event loop turns while so many commands are applied, one after the other. */
const turns = (commands: number) =>
  Effect.gen(function* () {
    const client = yield* Tally.client
    yield* client.Add({ key: "first" })
    let turned = 0
    let immediate: NodeJS.Immediate | undefined
    const turn = (): void => {
      turned++
      immediate = setImmediate(turn)
    }
    yield* Effect.acquireRelease(Effect.sync(turn), () => Effect.sync(() => clearImmediate(immediate)))
    yield* Effect.replicateEffect(client.Add({ key: "again" }), commands, { discard: true })
    return turned
  }).pipe(Effect.scoped)

const alone = Replica.layer(Tally).pipe(
  Layer.provide([
    TallyLive,
    Single.layer({ cluster: "turns" }),
    Layer.unwrapEffect(Effect.map(Journal.makeMemoryDisk, JournalStore.layerMemory))
  ])
)

it.live("a replica alone leaves its process a turn for each slot", () =>
  Effect.gen(function* () {
    expect(yield* Effect.provide(turns(200), alone)).toBeGreaterThanOrEqual(200)
  })
)
