#!/usr/bin/env node
/**
 * The program that Maelstrom starts for each node. Its journal is in memory, or, with `SYNOD_MAELSTROM_DATA`, in a file of that
 * directory: a node that is killed must find what it promised.
 */
import { NodeRuntime } from "@effect/platform-node"
import { Journal, JournalStore, SqliteJournal } from "@synod/journal"
import { Config, Effect, Logger, Option, Stream } from "effect"
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import * as Lines from "./Lines.js"
import { defaultDeadline, longestLine, NodeStopped, serve } from "./Node.js"

/** Characters that may wait for Maelstrom to read them: 64 Mi. What is over it is lost, as a network may lose it. */
const mostWaiting = 64 * 1024 * 1024

const write = (line: string) =>
  Effect.suspend(() => {
    if (process.stdout.writableLength > mostWaiting) return Effect.logWarning("nobody reads what this node says")
    process.stdout.write(`${line}\n`)
    return Effect.void
  })

const lines = Stream.suspend(() => {
  const push = Lines.make(longestLine)
  process.stdin.setEncoding("utf8")
  return Stream.fromAsyncIterable(process.stdin as AsyncIterable<string>, String).pipe(
    Stream.orDie,
    Stream.mapConcat(push)
  )
})

const program = Effect.gen(function* () {
  const directory = yield* Config.option(Config.nonEmptyString("SYNOD_MAELSTROM_DATA"))
  const disk = yield* Journal.makeMemoryDisk
  const journal = (name: string) =>
    Option.match(directory, {
      onNone: () => JournalStore.layerMemory(disk),
      onSome: (path) => SqliteJournal.layer({ filename: join(path, `${encodeURIComponent(name)}.sqlite`) })
    })
  if (Option.isSome(directory)) {
    yield* Effect.try({
      try: () => mkdirSync(directory.value, { recursive: true }),
      catch: (error) => new NodeStopped({ reason: `SYNOD_MAELSTROM_DATA can't be made: ${String(error)}` })
    })
  }
  const deadline = yield* Config.withDefault(Config.duration("SYNOD_MAELSTROM_DEADLINE"), defaultDeadline).pipe(
    Effect.mapError(() => new NodeStopped({ reason: "SYNOD_MAELSTROM_DEADLINE is no duration, such as 3 seconds" }))
  )
  yield* serve({ lines, write, journal, deadline })
})

program.pipe(
  Effect.tapError((error) => Effect.logError(error.message)),
  // Standard output belongs to messages alone.
  Effect.provide(Logger.replace(Logger.defaultLogger, Logger.withConsoleError(Logger.stringLogger))),
  NodeRuntime.runMain({ disableErrorReporting: true, disablePrettyLogger: true })
)
