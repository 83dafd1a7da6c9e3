/**
 * `state-table`: what the acceptors of a live cluster hold of a register.
 */
import { Args, Command, Options } from "@effect/cli"
import { QuorumSpec, StateTable } from "@synod/paxos"
import { Registers, Socket } from "@synod/register"
import { Socket as Replicas } from "@synod/replica"
import { Console, Data, Effect, Either } from "effect"

/** An argument that makes no sense; said in one sentence. */
class Unusable extends Data.TaggedError("Unusable")<{ readonly message: string }> {}

const options = {
  key: Args.text({ name: "key" }).pipe(Args.withDescription("The register, such as owner/door.")),
  cluster: Options.text("cluster").pipe(Options.withDescription("The cluster's name.")),
  members: Options.text("members").pipe(
    Options.withDescription("Where all members listen, as 1=127.0.0.1:7001,2=127.0.0.1:7002,3=127.0.0.1:7003.")
  ),
  quorums: Options.text("quorums").pipe(
    Options.withDescription("The quorum system of the cluster, as the members have it."),
    Options.withDefault("majority")
  )
}

export const command = Command.make("state-table", options, ({ cluster, key, members, quorums }) =>
  Effect.gen(function* () {
    const spec = yield* Either.mapLeft(QuorumSpec.parse(quorums), (message) => new Unusable({ message }))
    const client = Socket.layerClient({ cluster, members: yield* Replicas.parseMembers(members), quorums: spec })
    const table = yield* Effect.provide(
      Effect.flatMap(Registers.Registers, (registers) => registers.stateTable(key)),
      client
    )
    yield* Console.log([...StateTable.format(table, label), "", legend].join("\n"))
  })
).pipe(
  Command.withDescription("Shows what the acceptors of a register hold: ballots by members, decided cells marked.")
)

/** Longer values are cut, in characters: a table is to be read. */
const longest = 24

/** A value as text if it is one, in one word. */
const label = (value: Uint8Array): string => {
  const text = new TextDecoder().decode(value).replace(/\s+/g, " ")
  return text.length > longest ? `${text.slice(0, longest)}…` : text
}

const legend =
  "[v] decided · v accepted · nil blocked by a higher promise · - open · … overwritten since · ? did not answer"
