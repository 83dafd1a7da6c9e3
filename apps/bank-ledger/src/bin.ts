#!/usr/bin/env node
/**
 * The bank ledger's command line: on replicas that run, or on one in this process with its journal in the data directory.
 */
import { FileSystem, Path } from "@effect/platform"
import { Client } from "@synod/client"
import { SqliteJournal } from "@synod/journal"
import { Replica, Single, type Socket } from "@synod/replica"
import { Data, Effect, Layer, Option } from "effect"
import { Bank } from "./Bank.js"
import { BankLive } from "./BankLive.js"
import type { Place } from "./cli/Cli.js"
import * as Main from "./cli/Main.js"

class DirectoryUnusable extends Data.TaggedError("DirectoryUnusable")<{ readonly directory: string }> {
  override get message() {
    return `The directory ${this.directory} can't be made or written to.`
  }
}

const cluster = "bank"

/** How long a person waits for an answer: long books take a while to be read when they are opened. */
const deadline = "2 minutes"

const remote = (cluster: string, servers: Socket.Members) =>
  Client.layer(Bank, { cluster, servers, config: { deadline, reads: "nearest" } })

const single = (data: string) =>
  Layer.unwrapEffect(
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const path = yield* Path.Path
      // One level only: told to make all, Node never returns where nothing can be made, as below /proc.
      yield* Effect.unlessEffect(files.makeDirectory(data), files.exists(data)).pipe(
        Effect.zipRight(files.access(data, { writable: true })),
        Effect.mapError(() => new DirectoryUnusable({ directory: data }))
      )
      const journal = SqliteJournal.layer({ filename: path.join(data, "bank.sqlite") })
      return Replica.layer(Bank, { client: { deadline } }).pipe(
        Layer.provide([BankLive, journal, Single.layer({ cluster })])
      )
    })
  )

const deployment = ({ cluster, data, servers }: Place) =>
  Option.match(servers, {
    onNone: () => single(data),
    onSome: (servers) => remote(cluster, servers)
  })

Main.run(deployment, process.argv)
