/**
 * `recover`: a new cluster from the journals that are left, when a quorum is gone for good.
 */
import { Command, HelpDoc, Options, ValidationError } from "@effect/cli"
import { FileSystem } from "@effect/platform"
import { Disaster, SqliteJournal, Survivors } from "@synod/journal"
import { NodeId } from "@synod/paxos"
import { Console, Effect, Either, Option, Schema } from "effect"
import { CliFailure } from "./Failure.js"

interface Named {
  readonly node: NodeId.NodeId
  readonly filename: string
}

const parseSurvivors = (text: string): Either.Either<ReadonlyArray<Named>, ValidationError.ValidationError> => {
  const named: Array<Named> = []
  for (const part of text.split(",")) {
    const [, name, filename] = /^\s*(\d{1,5})=(.+?)\s*$/.exec(part) ?? []
    const node = Schema.decodeUnknownEither(NodeId.NodeId)(name === undefined ? undefined : Number(name))
    if (filename === undefined || Either.isLeft(node)) {
      return Either.left(
        ValidationError.invalidValue(HelpDoc.p(`"${part}" is not NODE=FILE, such as 3=/data/replica-3.sqlite`))
      )
    }
    named.push({ node: node.right, filename })
  }
  return Either.right(named)
}

const settings = {
  cluster: Options.text("cluster").pipe(
    Options.withDescription("The name of the cluster that is lost."),
    Options.withDefault("bank")
  ),
  survivors: Options.text("survivors").pipe(
    Options.withDescription("All journals that are left, none of which is in use or changed: 2=FILE,3=FILE."),
    Options.mapEffect(parseSurvivors)
  ),
  journal: Options.text("journal").pipe(
    Options.withDescription("The file of the new cluster's first journal, which doesn't exist yet.")
  ),
  consent: Options.text("consent").pipe(
    Options.withDescription(
      "The cluster's name: you accept that what the report names is lost. Without it nothing is done but the report."
    ),
    Options.optional
  )
}

export const recover = Command.make("recover", settings, ({ cluster, consent, journal, survivors }) =>
  Effect.scoped(
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const failure = (sentence: string) => new CliFailure({ problems: [], sentence })
      // A journal that doesn't exist would be begun, and one that does be written to.
      for (const { filename } of survivors) {
        if (!(yield* files.exists(filename))) return yield* failure(`There is no journal ${filename}.`)
      }
      if (yield* files.exists(journal)) return yield* failure(`${journal} exists already: name a new file.`)
      const recovered = yield* Disaster.recoverFromSurvivors({
        ...{ cluster, consent: Option.getOrUndefined(consent) },
        survivors: yield* Effect.forEach(survivors, ({ filename, node }) =>
          Effect.map(SqliteJournal.make({ filename, cluster, node }), (journal) => ({ node, journal }))
        ),
        into: { open: (owner) => SqliteJournal.make({ ...owner, filename: journal }) }
      })
      const { node } = recovered
      yield* Console.log(
        [
          ...Survivors.tell(recovered.report),
          `The new cluster is ${recovered.cluster}, with node ${node} as its only member. Start it, and have others join under new numbers:`,
          `  serve --cluster ${recovered.cluster} --node ${node} --members ${node}=HOST:PORT --journal ${journal}`
        ].join("\n")
      )
    })
  )
).pipe(
  Command.withDescription(
    "Make a new cluster from the journals that are left, when a quorum is gone for good. What the dead decided last may be lost."
  )
)
