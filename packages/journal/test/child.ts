/**
 * A process of its own that uses a journal: `child.ts <filename> <what it does>`. Each line it prints is written
 * before it goes on, so that whoever reads "ack 3" knows that the third write had succeeded by then.
 */
import { type Journal, type JournalError, SqliteJournal } from "@synod/journal"
import { Entry, Slot } from "@synod/paxos"
import { Effect } from "effect"
import { writeSync } from "node:fs"
import { failure } from "./failure.js"
import { cluster, node } from "./SqliteFixtures.js"
import { all, write } from "./Writes.js"

const [filename, task, count] = process.argv.slice(2)

const say = (line: string) => Effect.sync(() => writeSync(1, `${line}\n`))

/** The nth write: it replaces the whole log by three entries that carry its number. */
const nth = (n: number) =>
  write(
    { round: n, through: 3, chosen: 0, after: 0 },
    [1, 2, 3].map(() => Entry.commands(n, new Uint8Array(2_000).fill(n)))
  )

const writeUntil = (journal: Journal.Journal["Type"], last: number) =>
  Effect.gen(function* () {
    for (let n = 1; n <= last; n++) {
      yield* journal.write(nth(n))
      yield* say(`ack ${n}`)
    }
  })

const answer = (effect: Effect.Effect<unknown, JournalError.JournalError>) =>
  Effect.match(effect, { onFailure: ({ _tag }) => _tag, onSuccess: () => "it did" })

const tasks: { readonly [task: string]: (journal: Journal.Journal["Type"]) => Effect.Effect<unknown, Error> } = {
  /** Writes, and ends. */
  write: (journal) => writeUntil(journal, Number(count)),
  /** Writes, and keeps the journal until it is killed. */
  hold: (journal) => Effect.zipRight(writeUntil(journal, Number(count)), Effect.never),
  /** Writes until the disk refuses; recovers; goes on. */
  recover: (journal) =>
    Effect.gen(function* () {
      const refused = yield* failure(writeUntil(journal, Number(count)))
      yield* say(`${refused._tag}: ${refused.message}`)
      yield* say(yield* answer(journal.read(Slot.zero, all)))
      yield* say(yield* answer(journal.write(nth(1))))
      const { promised } = yield* journal.recover
      yield* say(`recovered ${promised.round}`)
      yield* journal.write(nth(promised.round + 1))
      yield* say(`ack ${promised.round + 1}`)
    })
}

Effect.runFork(
  SqliteJournal.make({ filename: filename!, cluster, node }).pipe(
    Effect.tap(() => say("open")),
    Effect.flatMap(tasks[task!]!),
    Effect.scoped,
    Effect.catchAll((error) => say(error.message))
  )
)

// A fiber alone does not keep the process; one that is to be killed must stay until then.
if (task === "hold") process.stdin.resume()
