/**
 * `members` and `members change`: who takes part in a cluster that runs, and that others do from now on.
 */
import { Command, HelpDoc, Options, ValidationError } from "@effect/cli"
import { Admin } from "@synod/client"
import { type Membership, NodeId } from "@synod/paxos"
import { Socket } from "@synod/replica"
import { Console, Effect, Either, Option, Schema } from "effect"
import { parseMembers, quorums } from "./Serve.js"

const invalid = (sentence: string) => ValidationError.invalidValue(HelpDoc.p(sentence))

/** Nodes, and of some of them where they listen. */
interface Named {
  readonly nodes: ReadonlyArray<NodeId.NodeId>
  readonly places: Socket.Members
}

const parseNodes = (text: string): Either.Either<Named, ValidationError.ValidationError> => {
  const nodes: Array<NodeId.NodeId> = []
  const places: Record<number, Socket.Place> = {}
  for (const part of text.split(",").filter((part) => part.trim() !== "")) {
    const [name, address] = part.trim().split(/=(.*)/, 2) as [string, string | undefined]
    const node = Schema.decodeUnknownEither(NodeId.NodeId)(/^\d{1,5}$/.test(name) ? Number(name) : name)
    const place = address === undefined ? undefined : Socket.parseAddress(address)
    if (Either.isLeft(node) || (address !== undefined && place === undefined)) {
      return Either.left(invalid(`"${part}" is not NODE or NODE=HOST:PORT, such as 4=127.0.0.1:7004`))
    }
    nodes.push(node.right)
    if (place !== undefined) places[node.right] = place
  }
  return Either.right({ nodes, places })
}

const tell = ({ membership, number }: { readonly number: number; readonly membership: Membership.Membership }) =>
  [
    `epoch ${number}: ${Admin.format(membership)}`,
    ...(membership.addresses ?? []).map(({ address, node }) => `node ${node} at ${address}`)
  ].join("\n")

const show = Command.make(
  "members",
  {
    servers: Options.text("servers").pipe(
      Options.withDescription("Replicas that run: 1=127.0.0.1:7001,2=127.0.0.1:7002,…; any of them."),
      Options.mapEffect(parseMembers)
    ),
    cluster: Options.text("cluster").pipe(
      Options.withDescription("The name of their cluster."),
      Options.withDefault("bank")
    )
  },
  (options) =>
    Effect.scoped(
      Effect.gen(function* () {
        const admin = yield* Admin.tcp(options)
        yield* Console.log(tell(yield* admin.epoch))
      })
    )
).pipe(Command.withDescription("Show who takes part in a cluster that runs, or have others do."))

const change = Command.make(
  "change",
  {
    voters: Options.text("voters").pipe(
      Options.withDescription("All who are to vote; new ones with their place: 2,3,4=127.0.0.1:7004."),
      Options.mapEffect(parseNodes)
    ),
    learners: Options.text("learners").pipe(
      Options.withDescription("All who are to learn without a vote. By default nobody."),
      Options.withDefault(""),
      Options.mapEffect(parseNodes)
    ),
    quorums: quorums.pipe(Options.optional),
    expect: Options.integer("expect").pipe(
      Options.withDescription("Change nothing unless this epoch is in force. By default the one that is."),
      Options.optional
    ),
    timeout: Options.integer("timeout").pipe(
      Options.withDescription("Seconds to wait for it."),
      Options.withDefault(60)
    )
  },
  ({ expect, learners, quorums, timeout, voters }) =>
    Effect.scoped(
      Effect.gen(function* () {
        const { cluster, servers } = yield* show
        const places = { ...voters.places, ...learners.places }
        const admin = yield* Admin.tcp({ cluster, servers: { ...servers, ...places } })
        const { membership, number } = yield* admin.epoch
        const nodes = [...voters.nodes, ...learners.nodes]
        const told = Object.entries(places).map(([node, place]) => ({
          node: NodeId.make(Number(node)),
          address: Socket.formatAddress(place)
        }))
        const known = (membership.addresses ?? []).filter(({ node }) => nodes.includes(node) && !(node in places))
        const addresses = [...known, ...told]
        const wanted: Membership.Membership = {
          voters: voters.nodes,
          learners: learners.nodes,
          quorums: Option.getOrElse(quorums, () => membership.quorums),
          ...(addresses.length === 0 ? {} : { addresses })
        }
        const options = { timeout: `${timeout} seconds` } as const
        const present = yield* admin.changeMembership(
          { expect: Option.getOrElse(expect, () => number), wanted },
          options
        )
        yield* Console.log(tell(present))
      })
    )
).pipe(
  Command.withDescription(
    "Have these members and no others: new ones run already, with serve --begin join. Ends when they are in force."
  )
)

export const members = show.pipe(Command.withSubcommands([change]))
