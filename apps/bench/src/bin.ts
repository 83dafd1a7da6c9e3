/**
 * `npm run bench`
 */
import { Command, ValidationError } from "@effect/cli"
import { NodeContext, NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Option } from "effect"
import * as Benchmark from "./Benchmark.js"
import * as Contention from "./geo/Contention.js"
import * as Geo from "./geo/Geo.js"
import * as Growth from "./growth/Growth.js"
import * as Large from "./large/Large.js"
import * as Pauses from "./large/Pauses.js"
import * as Machine from "./Machine.js"
import { settings } from "./Options.js"
import * as Report from "./Report.js"
import * as Results from "./Results.js"
import * as Studies from "./Studies.js"
import { clients } from "./System.js"
import { limit, nameOf, Synod, systems } from "./Systems.js"
import * as Targets from "./Targets.js"

const inFlight = { full: [1, 16, 64, 256, 1024], quick: [1, 16, 256] }

const command = Command.make("bench", settings, (options) =>
  Effect.gen(function* () {
    const { quick } = options
    if (options.large) {
      const seconds = Option.getOrElse(options.seconds, () => (quick ? 2 : 10))
      return yield* Large.run({ accounts: 1_000_000, small: 100_000, seconds })
    }
    if (options.snapshot) {
      const seconds = Option.getOrElse(options.seconds, () => (quick ? 2 : 10))
      const pauses = yield* Pauses.run({ keys: quick ? 10_000 : 100_000, bytes: 1_000, seconds })
      return yield* Results.keep(options.out, "snapshot", pauses, [])
    }
    if (options.geo) {
      const latencies = yield* Geo.run(Option.getOrElse(options.seconds, () => 5))
      return yield* Results.keep(options.out, "geo", latencies, [])
    }
    if (options.contention) {
      const contentions = yield* Contention.run(Option.getOrElse(options.seconds, () => 3))
      return yield* Results.keep(options.out, "contention", contentions, Contention.charts(contentions))
    }
    if (options.growth) {
      const grown = yield* Growth.run(Option.getOrElse(options.seconds, () => (quick ? 1 : 4)))
      return yield* Results.keep(options.out, "growth", grown, Growth.charts(grown))
    }
    const chosen = systems.filter(
      (system) => Option.isNone(options.systems) || options.systems.value.includes(nameOf(system))
    )
    for (const { lacks } of chosen) {
      const lacking = lacks()
      if (lacking !== undefined) yield* Console.log(lacking)
    }
    const installed = chosen.filter(({ lacks }) => lacks() === undefined)
    if (Studies.asked(options)) {
      yield* Results.save(options.out, { ...Results.none, ...(yield* Studies.run(options, installed)) })
      return
    }
    yield* Console.log(`Three members on loopback, ${Machine.described}.`)
    const numbers = Option.getOrElse(options.inFlight, () => (quick ? inFlight.quick : inFlight.full))
    const { measured, taken } = yield* Benchmark.run({
      systems: installed,
      essential: Synod.name,
      points: clients.flatMap((client) =>
        (["put", "get"] as const).flatMap((operation) =>
          numbers.map((inFlight) => ({ client, operation, inFlight }) as const)
        )
      ),
      seconds: Option.getOrElse(options.seconds, () => (quick ? 0.8 : 2)),
      runs: Option.getOrElse(options.runs, () => (quick ? 1 : 3)),
      profiles: Option.getOrUndefined(options.profiles)
    })
    const rows = Report.rows(measured, limit.name)
    const tables = Effect.gen(function* () {
      yield* Console.log(`\n${Report.table(rows, "of the limit")}\n\n${Report.takenTable(taken)}`)
      const ratios = Report.ratios(rows, Synod.name)
      if (ratios.length > 0) yield* Console.log(`\n${Synod.name}, of what others do:\n${Report.ratioTable(ratios)}`)
      return ratios
    })
    if (options.withPeers) {
      const ratios = yield* tables
      return yield* Results.save(options.out, { ...Results.none, rows, ratios, measured, taken })
    }
    const found = yield* Studies.run({ ...options, failover: true, coldRestart: true, catchUp: true }, installed)
    const ratios = yield* tables
    const targets = Targets.targets(rows, found)
    yield* Console.log(`\n${Targets.table(targets)}`)
    yield* Results.save(options.out, { rows, ratios, measured, taken, ...found, targets })
  })
).pipe(
  Command.withDescription(
    "Throughput, latency, failover, restarts and catching up of Synod, beside the limit of Node, SQLite and loopback, and beside others."
  )
)

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
