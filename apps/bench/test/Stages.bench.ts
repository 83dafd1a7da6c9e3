/**
 * What each stage of a command's way costs alone, in batches as load makes them: `npm run bench:stages`.
 */
import { SqliteJournal } from "@synod/journal"
import { Ballot, Durable, Entry, NodeId, Slot } from "@synod/paxos"
import { Actor } from "@synod/replica"
import { Batch, Command, Envelope, Reply } from "@synod/state-machine"
import { Effect, Either, Exit, Scope } from "effect"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { afterAll, bench, describe } from "vitest"
import { commands, KeyValue, KeyValueLive } from "../src/synod/KeyValue.js"

/** As many as a client packs into one request. */
const count = 256

const scope = Effect.runSync(Scope.make())
const directory = Fs.mkdtempSync(Path.join(Os.tmpdir(), "synod-stages-"))
afterAll(async () => {
  await Effect.runPromise(Scope.close(scope, Exit.void))
  Fs.rmSync(directory, { recursive: true, force: true })
})

const puts = commands(count)
const packed = puts.map((put) => Either.getOrThrow(Command.encode("Put", put)))
const envelope = (first: number) =>
  Envelope.encode(Envelope.call({ session: 1, acknowledged: first, first, commands: packed }))

describe(`${count} commands`, () => {
  bench("encode: from payloads to an envelope", () => {
    const encoded = puts.map((put) => Either.getOrThrow(Command.encode("Put", put)))
    Envelope.encode(Envelope.call({ session: 1, acknowledged: 1, first: 1, commands: encoded }))
  })

  const executor = Effect.runSync(Effect.provide(KeyValue.executor, KeyValueLive))
  let replicated = executor.apply(
    executor.initial,
    { slot: 1, time: 1 },
    Batch.encode([Envelope.encode(Envelope.open)])
  ).state
  let slot = 1
  bench("apply: decode, sessions, handlers, answers", () => {
    slot++
    const batch = Batch.encode([envelope((slot - 2) * count + 1)])
    replicated = executor.apply(replicated, { slot, time: slot }, batch).state
  })

  const first = executor.apply(replicated, { slot: 2, time: 2 }, Batch.encode([envelope(1)]))
  const answers = Either.getOrThrow(Reply.decode(first.replies[0]!))
  bench("reply: one for all of them", () => {
    Reply.encode(answers)
  })

  let heard: (() => void) | undefined
  const actor = Effect.runSync(
    Actor.make({
      name: "stage",
      initial: 0,
      mailbox: count,
      step: (state: number, _: Uint8Array) => ({ state: state + 1, actions: [state + 1] }),
      send: (asked) => {
        if (asked.length === count) heard?.()
        return undefined
      }
    })
  )
  Effect.runFork(Scope.extend(Effect.forkScoped(actor.run), scope))
  bench(
    "mailbox: that many told, one turn",
    () =>
      new Promise<void>((resolve) => {
        heard = resolve
        for (const bytes of packed) actor.tell(bytes)
      })
  )

  const node = NodeId.make(1)
  const journal = Effect.runSync(
    Scope.extend(
      SqliteJournal.make({ filename: Path.join(directory, "journal.sqlite"), cluster: "stages", node }),
      scope
    )
  )
  const ballot = Ballot.make(1, node)
  const body = Batch.encode([envelope(1)])
  let last = 0
  bench("journal: one entry, durable", () => {
    last++
    return Effect.runPromise(
      journal.write({
        state: {
          ...{ ...Durable.initial, promised: ballot, acceptedBallot: ballot },
          ...{ acceptedThrough: Slot.make(last), chosenThrough: Slot.zero }
        },
        after: Slot.make(last - 1),
        entries: [Entry.commands(last, body)]
      })
    )
  })
})
