/**
 * A process of its own that is one replica, alone: `child.ts <file> <batches>`. It prints a line for each batch of calls that
 * was acknowledged, before it sends the next one.
 */
import { SqliteJournal } from "@synod/journal"
import { Replica, Single } from "@synod/replica"
import { Effect, Layer, Logger } from "effect"
import { writeSync } from "node:fs"
import { Tally, TallyLive } from "./Tally.js"

const [filename, batches] = process.argv.slice(2)

const say = (line: string) => Effect.sync(() => writeSync(1, `${line}\n`))

const program = Effect.gen(function* () {
  const tally = yield* Tally.client
  for (let n = 1; n <= Number(batches); n++) {
    // Calls of the same turn are one envelope, one slot and one write; every other batch is a single call.
    const keys = n % 2 === 0 ? [`${n}`] : Array.from({ length: 16 }, (_, i) => `${n}/${i}`)
    yield* Effect.forEach(keys, (key) => tally.Add({ key }), { concurrency: "unbounded" })
    yield* say(`ack ${n}`)
  }
}).pipe(
  Effect.provide(
    Replica.layer(Tally).pipe(
      Layer.provide([TallyLive, Single.layer({ cluster: "test" }), SqliteJournal.layer({ filename: filename! })])
    )
  ),
  Effect.catchAll((error) => say(error.message)),
  Effect.provide(Logger.remove(Logger.defaultLogger))
)

void Effect.runPromise(program)
