/**
 * What the command line takes.
 */
import { HelpDoc, Options, ValidationError } from "@effect/cli"
import { Effect } from "effect"
import { names } from "./Systems.js"

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
  Options.withDescription(
    "How many commands are under way, one number or several. Default: 1,16,64,256,1024, with --quick 1,16,256."
  ),
  Options.optional
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

const quick = Options.boolean("quick").pipe(
  Options.withDescription("One short run of everything in less than five minutes, for a first impression.")
)

const systems = Options.text("systems").pipe(
  Options.withPseudoName("NAME,NAME…"),
  Options.withDescription(`Only these: ${names.join(", ")}. Default: all that are installed.`),
  Options.mapEffect((text) => {
    const unknown = text.split(",").filter((name) => !names.includes(name))
    return unknown.length === 0
      ? Effect.succeed(text.split(","))
      : Effect.fail(
          ValidationError.invalidValue(
            HelpDoc.p(`--systems is "${text}", and there is no "${unknown[0]!}"; expected some of ${names.join(",")}`)
          )
        )
  }),
  Options.optional
)

const out = Options.directory("out").pipe(
  Options.withDescription("Where results.json and the plots go. Default: .data/bench."),
  Options.withDefault(".data/bench")
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

const coldRestart = Options.boolean("cold-restart").pipe(
  Options.withDescription(
    "Instead: how long until a command is answered when all members are started that had been killed, with 100,000 entries."
  )
)

const restart = Options.boolean("restart").pipe(
  Options.withDescription("Instead: how long a replica takes to restart that has applied a million commands.")
)

const commands = numbers("commands", { list: false, min: 1, max: 100_000_000, whole: true }).pipe(
  Options.map(([first]) => first!),
  Options.withDescription("With --restart and --cold-restart: how many."),
  Options.optional
)

const catchUp = Options.boolean("catch-up").pipe(
  Options.withDescription("Instead: what it costs the others when a replica returns that was away.")
)

const large = Options.boolean("large").pipe(
  Options.withDescription(
    "Instead: a ledger of a million accounts on SQL tables, its memory, its snapshot and its restart."
  )
)

const snapshot = Options.boolean("snapshot").pipe(
  Options.withDescription("Instead: how long a replica whose state is 100 MB stands still while it takes a snapshot.")
)

const followers = Options.boolean("followers").pipe(
  Options.withDescription(
    "Instead: how many commands are left when 1 and 16 follow all that is applied, at the leader."
  )
)

const withPeers = Options.boolean("peers").pipe(
  Options.withDescription(
    "Only throughput and latency: writes and linearizable reads, of all systems that are installed."
  )
)

const geo = Options.boolean("geo").pipe(
  Options.withDescription("Instead: three regions, and how long a claim takes from each, by a leader and by registers.")
)

const contention = Options.boolean("contention").pipe(
  Options.withDescription("Instead: 1 to 64 clients that claim the same, by a leader and by proposers of their own.")
)

const growth = Options.boolean("growth").pipe(
  Options.withDescription("Instead: what a command costs with more replicas, larger values and more sessions.")
)

export const settings = {
  ...{ inFlight, seconds, runs, quick, systems, out, profiles },
  ...{
    overload,
    failover,
    coldRestart,
    restart,
    commands,
    catchUp,
    large,
    snapshot,
    followers,
    geo,
    contention,
    growth,
    withPeers
  }
}
