import { expect, it } from "@effect/vitest"
import { Journal } from "@synod/journal"
import { Slot } from "@synod/paxos"
import { Effect } from "effect"
import { journalSuite } from "./JournalSuite.js"
import { all, appended, entriesOf } from "./Writes.js"

journalSuite(
  "memory",
  Effect.map(Journal.makeMemoryDisk, (disk) => ({ open: Journal.makeMemory(disk) }))
)

it.effect("layerMemory begins with a new disk, layerMemoryDisk goes on with the one it is given", () =>
  Effect.gen(function* () {
    const disk = yield* Journal.makeMemoryDisk
    const add = Effect.flatMap(Journal.Journal, (journal) =>
      journal.write(appended(journal.recovered.acceptedThrough, entriesOf("a")))
    )
    const read = Effect.flatMap(Journal.Journal, (journal) => journal.read(Slot.zero, all))
    yield* Effect.provide(add, Journal.layerMemory)
    yield* Effect.provide(add, Journal.layerMemoryDisk(disk))
    yield* Effect.provide(add, Journal.layerMemoryDisk(disk))
    expect(yield* Effect.provide(read, Journal.layerMemory)).toEqual([])
    expect(yield* Effect.provide(read, Journal.layerMemoryDisk(disk))).toEqual(entriesOf("aa"))
  })
)
