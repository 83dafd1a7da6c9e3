/**
 * `npm run bench`
 */
import { Command, ValidationError } from "@effect/cli"
import { NodeContext, NodeRuntime } from "@effect/platform-node"
import { Console, Data, Effect, Option } from "effect"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Benchmark from "./Benchmark.js"
import * as Large from "./large/Large.js"
import { settings } from "./Options.js"
import * as Report from "./Report.js"
import * as Studies from "./Studies.js"
import { clients, type Point } from "./System.js"
import { limit, peers, Synod, systems } from "./Systems.js"

/** Where other systems are met: their clients are remote. */
const meetings: ReadonlyArray<Point> = [
  ...[1, 16, 256].map((inFlight) => ({ client: "remote", operation: "put", inFlight }) as const),
  { client: "remote", operation: "get", inFlight: 64 }
]

const command = Command.make("bench", settings, (options) =>
  Effect.gen(function* () {
    if (Studies.asked(options)) return yield* Studies.run(options)
    if (options.large) {
      const seconds = Option.getOrElse(options.seconds, () => (options.quick ? 2 : 10))
      return yield* Large.run({ accounts: 1_000_000, small: 100_000, seconds })
    }
    const rivals = options.withPeers ? peers : []
    for (const { lacks } of rivals) {
      const lacking = lacks()
      if (lacking !== undefined) yield* Console.log(lacking)
    }
    const plan: Benchmark.Plan = {
      systems: options.withPeers ? [Synod, ...rivals.filter(({ lacks }) => lacks() === undefined)] : systems,
      points: options.withPeers
        ? meetings
        : clients.flatMap((client) =>
            options.inFlight.map((inFlight) => ({ client, operation: "put", inFlight }) as const)
          ),
      flushes: options.withPeers,
      seconds: Option.getOrElse(options.seconds, () => (options.quick ? 1 : 2)),
      runs: Option.getOrElse(options.runs, () => (options.quick ? 1 : 3)),
      profiles: Option.getOrUndefined(options.profiles)
    }
    const machine = `${Os.cpus().length} cores, Node ${process.versions.node}, data in ${Os.tmpdir()}${onDisk()}`
    yield* Console.log(`Three members on loopback, ${machine}.`)
    const measured = yield* Benchmark.run(plan)
    const rows = Report.rows(measured, options.withPeers ? Synod.name : limit.name)
    yield* Console.log(`\n${Report.table(rows, options.withPeers ? "of synod" : "of the limit")}`)
    const ratios = options.withPeers ? Report.ratios(rows, Synod.name) : []
    if (ratios.length > 0) yield* Console.log(`\n${Synod.name}, of what others do:\n${Report.ratioTable(ratios)}`)
    if (Option.isSome(options.json)) {
      const file = options.json.value
      yield* Effect.try({
        try: () => Fs.writeFileSync(file, `${JSON.stringify({ machine, rows, ratios, measured }, undefined, 2)}\n`),
        catch: (error) => new Unwritable({ file, reason: error instanceof Error ? error.message : String(error) })
      })
    }
  })
).pipe(
  Command.withDescription("Commands a second and latencies of Synod, beside the limit of Node, SQLite and loopback.")
)

/** A file system in memory flushes nothing, and figures from there say nothing of durable writes. */
const onDisk = (): string => (Fs.statfsSync(Os.tmpdir()).type === 0x01021994 ? " (in memory: NOT durable)" : "")

/** The samples can't be saved; the table was printed. */
class Unwritable extends Data.TaggedError("Unwritable")<{ readonly file: string; readonly reason: string }> {
  override get message(): string {
    return `${this.file} can't be written: ${this.reason}`
  }
}

const cli = Command.run(command, { name: "Synod benchmark", version: "0.1.0" })

const fail = (error: { readonly message: string } | ValidationError.ValidationError) =>
  Effect.zipRight(
    // What is wrong with an option was said by the command line's own parser.
    ValidationError.isValidationError(error) ? Effect.void : Console.error(error.message),
    Effect.sync(() => {
      process.exitCode = 1
    })
  )

NodeRuntime.runMain(
  Effect.suspend(() => cli(process.argv)).pipe(Effect.catchAll(fail), Effect.provide(NodeContext.layer))
)
