/**
 * `serve`: one replica as a process.
 */
import { Command, HelpDoc, Options, ValidationError } from "@effect/cli"
import { QuorumSpec } from "@synod/paxos"
import { Socket } from "@synod/replica"
import { Effect, Either, Logger, LogLevel } from "effect"
import { serve as run } from "../serve.js"

/** Where replicas are, as an option says it. */
export const parseMembers = (text: string) =>
  Either.mapLeft(Socket.parseMembers(text), (error) => ValidationError.invalidValue(HelpDoc.p(error.message)))

/** Which sets of replicas decide, as an option says it. */
export const quorums = Options.text("quorums").pipe(
  Options.withDescription(
    "Which sets of replicas decide, the same for all: majority, flexible:prepare=4,accept=2, grid:rows=2,columns=3, " +
      "weighted:1=2,2=1,3=1, hierarchical:1+2,3+4,5+6, allAboard, or JSON."
  ),
  Options.mapEffect((text) =>
    Either.mapLeft(QuorumSpec.parse(text), (sentence) => ValidationError.invalidValue(HelpDoc.p(sentence)))
  )
)

const settings = {
  cluster: Options.text("cluster").pipe(
    Options.withDescription("The cluster's name, the same for all replicas."),
    Options.withDefault("bank")
  ),
  node: Options.integer("node").pipe(Options.withDescription("The node of this replica, one of the members.")),
  members: Options.text("members").pipe(
    Options.withDescription("Where each replica listens: 1=127.0.0.1:7001,2=127.0.0.1:7002,3=127.0.0.1:7003."),
    Options.mapEffect(parseMembers)
  ),
  begin: Options.choice("begin", ["found", "join", "return"]).pipe(
    Options.withDescription(
      "What to do while the journal holds nothing: found the cluster with the other members, all of which must be there once; join them, once members change " +
        "names this node; or return only with what the journal holds, which is the setting for every later start."
    ),
    Options.withDefault("return")
  ),
  quorums: quorums.pipe(Options.withDefault(QuorumSpec.majority)),
  journal: Options.text("journal").pipe(Options.withDescription("The file of this replica's journal."))
}

export const serve = Command.make("serve", settings, (options) =>
  // What a replica has to say while it runs is for whoever runs it.
  Logger.withMinimumLogLevel(Effect.scoped(run(options)), LogLevel.Info)
).pipe(Command.withDescription("Run one replica of the ledger until it is told to stop."))
