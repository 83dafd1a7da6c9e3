/**
 * `npm run bench`
 */
import { Command, HelpDoc, Options, ValidationError } from "@effect/cli"
import { NodeContext, NodeRuntime } from "@effect/platform-node"
import { Console, Data, Effect, Option } from "effect"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Benchmark from "./Benchmark.js"
import * as CatchUp from "./CatchUp.js"
import * as Failover from "./Failover.js"
import * as Followers from "./Followers.js"
import * as Large from "./large/Large.js"
import * as Overload from "./Overload.js"
import * as Report from "./Report.js"
import * as Restart from "./Restart.js"
import { clients, type Point } from "./System.js"
import { limit, peers, Synod, systems } from "./Systems.js"

/** A number within bounds, or a list of them; the sentence says what was expected instead. */
const numbers = (
  name: string,
  { list, max, min, whole }: Record<"min" | "max", number> & Record<"list" | "whole", boolean>
) => {
  const kind = `a ${whole ? "whole " : ""}number${list ? ", or several with commas between," : ""}`
  const isFine = (number: number) => number >= min && number <= max && (!whole || Number.isInteger(number))
  return Options.text(name).pipe(
    Options.withPseudoName(list ? "N,N…" : "N"),
    Options.mapEffect((text) => {
      const found = (list ? text.split(",") : [text]).map((part) => (part.trim() === "" ? Number.NaN : Number(part)))
      return found.every(isFine)
        ? Effect.succeed(found)
        : Effect.fail(
            ValidationError.invalidValue(HelpDoc.p(`--${name} is "${text}"; expected ${kind} from ${min} to ${max}`))
          )
    })
  )
}

const inFlight = numbers("in-flight", { list: true, min: 1, max: 4096, whole: true }).pipe(
  Options.withDescription("How many commands are under way, one number or several: 1,16,256."),
  Options.withDefault([1, 16, 256])
)

const seconds = numbers("seconds", { list: false, min: 0.1, max: 60, whole: false }).pipe(
  Options.map(([first]) => first!),
  Options.withDescription("How long each point is measured. Default: 2, with --quick 1."),
  Options.optional
)

const runs = numbers("runs", { list: false, min: 1, max: 20, whole: true }).pipe(
  Options.map(([first]) => first!),
  Options.withDescription("How often everything is started anew; the table shows medians. Default: 3, with --quick 1."),
  Options.optional
)

const quick = Options.boolean("quick").pipe(Options.withDescription("One short run, for a first impression."))

const json = Options.file("json").pipe(
  Options.withDescription("Also writes every sample and the table to this file."),
  Options.optional
)

const profiles = Options.directory("profiles").pipe(
  Options.withDescription("Every process leaves its CPU profile in this directory; it makes them slower."),
  Options.optional
)

const overload = Options.boolean("overload").pipe(
  Options.withDescription("Instead: what is left of the peak at three times the load that saturates the replicas.")
)

const failover = Options.boolean("failover").pipe(
  Options.withDescription("Instead: how long until a command is answered after the leader was killed.")
)

const restart = Options.boolean("restart").pipe(
  Options.withDescription("Instead: how long a replica takes to restart that has applied a million commands.")
)

const commands = numbers("commands", { list: false, min: 1, max: 100_000_000, whole: true }).pipe(
  Options.map(([first]) => first!),
  Options.withDescription("With --restart: how many."),
  Options.withDefault(1_000_000)
)

const catchUp = Options.boolean("catch-up").pipe(
  Options.withDescription("Instead: what it costs the others when a replica returns that was away.")
)

const large = Options.boolean("large").pipe(
  Options.withDescription(
    "Instead: a ledger of a million accounts on SQL tables, its memory, its snapshot and its restart."
  )
)

const followers = Options.boolean("followers").pipe(
  Options.withDescription(
    "Instead: how many commands are left when 1 and 16 follow all that is applied, at the leader."
  )
)

const withPeers = Options.boolean("peers").pipe(
  Options.withDescription(
    "Instead: beside etcd and ZooKeeper, as far as they are installed; writes at 1, 16 and 256 in flight, linearizable reads at 64."
  )
)

/** Where other systems are met: their clients are remote. */
const meetings: ReadonlyArray<Point> = [
  ...[1, 16, 256].map((inFlight) => ({ client: "remote", operation: "put", inFlight }) as const),
  { client: "remote", operation: "get", inFlight: 64 }
]

const settings = {
  ...{ inFlight, seconds, runs, quick, json, profiles },
  ...{ overload, failover, restart, commands, catchUp, large, followers, withPeers }
}

const command = Command.make("bench", settings, (options) =>
  Effect.gen(function* () {
    if (options.overload) return yield* Overload.run(Option.getOrElse(options.seconds, () => 10))
    if (options.failover) return yield* Failover.run(Option.getOrElse(options.runs, () => 9))
    if (options.restart) {
      return yield* Restart.run({ commands: options.commands, times: Option.getOrElse(options.runs, () => 3) })
    }
    if (options.catchUp) {
      const times = Option.getOrElse(options.runs, () => (options.quick ? 1 : 3))
      return yield* CatchUp.run({ quick: options.quick, times })
    }
    if (options.large) {
      const seconds = Option.getOrElse(options.seconds, () => (options.quick ? 2 : 10))
      return yield* Large.run({ accounts: 1_000_000, small: 100_000, seconds })
    }
    if (options.followers) return yield* Followers.run(Option.getOrElse(options.seconds, () => 5))
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
