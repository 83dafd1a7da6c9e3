/**
 * A node of Maelstrom: lines in, lines out, and between them a replica of the store as it runs anywhere else.
 *
 * ```
 *   init ──► the replica starts ──► init_ok
 *   read, write, cas ──► client ──► replica ──► read_ok … or error
 *   synod ──► network ──► replica
 * ```
 */
import type { JournalStore } from "@synod/journal"
import { Peers, Replica, ReplicaConfig } from "@synod/replica"
import { Context, Data, Duration, Effect, Either, FiberSet, Layer, Schema, Stream } from "effect"
import type { Scope } from "effect"
import * as LinKv from "./LinKv.js"
import type { Line } from "./Lines.js"
import { type Body, codes, type Message, parse } from "./Message.js"
import * as Network from "./Network.js"
import { Store, StoreLive } from "./Store.js"

/** Why a node ends by itself. */
export class NodeStopped extends Data.TaggedError("NodeStopped")<{ readonly reason: string }> {
  override get message(): string {
    return this.reason
  }
}

export interface Options {
  readonly lines: Stream.Stream<Line>
  /** Writes a line, without its end. A network may lose it, so that nobody waits for it. */
  readonly write: (line: string) => Effect.Effect<void>
  /** How long a request may take; by default {@link defaultDeadline}. */
  readonly deadline?: Duration.Duration
  /** Where the node of this name keeps its journal. */
  readonly journal: (name: string) => Layer.Layer<JournalStore.JournalStore>
}

/**
 * The longest line, in characters: a frame of the longest kind in base64, and 4,096 for what is around it. Requests of
 * clients are much shorter.
 */
export const longestLine = Math.ceil(ReplicaConfig.maxFrameBytes(ReplicaConfig.defaults) / 3) * 4 + 4096

/**
 * How long a request may take before it is answered with an error: 900 milliseconds, since clients of Maelstrom wait for 1
 * second or, where that is longer, for ten latencies of its network. One replica gets half of it before another is asked.
 */
export const defaultDeadline = Duration.millis(900)

const Init = Schema.Struct({
  node_id: Schema.String,
  node_ids: Schema.Array(Schema.String).pipe(Schema.minItems(1), Schema.maxItems(1000))
}).pipe(
  Schema.filter(({ node_id, node_ids }) => node_ids.includes(node_id) && new Set(node_ids).size === node_ids.length)
)

/** A node that has been told who it is. */
interface Running {
  readonly name: string
  readonly receive: Network.Network["receive"]
  readonly answer: (body: Body) => Effect.Effect<LinKv.Answer>
}

/** Serves until the lines end, or fails when the replica can't go on. */
export const serve = (options: Options): Effect.Effect<void, NodeStopped> =>
  Effect.scoped(
    Effect.gen(function* () {
      const fork = yield* FiberSet.makeRuntime<never, void, never>()
      const stopped = yield* FiberSet.make<never, NodeStopped>()
      let running: Running | undefined

      const reply = ({ body, dest, src }: Message, answer: LinKv.Answer): Effect.Effect<void> =>
        body.msg_id === undefined
          ? Effect.logWarning(`a ${body.type} of ${src} has no msg_id, so that it can't be answered`)
          : options.write(JSON.stringify({ src: dest, dest: src, body: { ...answer, in_reply_to: body.msg_id } }))

      const init = (message: Message): Effect.Effect<void, NodeStopped, Scope.Scope> =>
        Effect.gen(function* () {
          if (running !== undefined) return yield* reply(message, LinKv.error(codes.malformedRequest, "a second init"))
          const decoded = Schema.decodeUnknownEither(Init)(message.body)
          if (Either.isLeft(decoded)) {
            const text = "an init needs a node_id, and node_ids that differ and have it among them"
            return yield* reply(message, LinKv.error(codes.malformedRequest, text))
          }
          const started = yield* begin(options, decoded.right.node_id, decoded.right.node_ids)
          yield* FiberSet.run(stopped, started.stopped)
          running = started
          yield* reply(message, { type: "init_ok" })
        })

      const handle = (line: Line): Effect.Effect<void, NodeStopped, Scope.Scope> => {
        if ("tooLong" in line) {
          return Effect.logWarning(
            `a line of ${line.tooLong} characters, more than the ${longestLine} that are allowed`
          )
        }
        const parsed = parse(line.text)
        if (Either.isLeft(parsed)) return refuse(line.text, parsed.left)
        const message = parsed.right
        const { body, src } = message
        if (body.type === "init") return init(message)
        if (running === undefined) {
          return reply(message, LinKv.error(codes.temporarilyUnavailable, "the node waits for its init"))
        }
        if (body.type === "synod") return Effect.catchAll(running.receive(src, body), (text) => Effect.logWarning(text))
        if (body.in_reply_to !== undefined)
          return Effect.logWarning(`${src} replies to what was not asked: ${body.type}`)
        fork(Effect.flatMap(running.answer(body), (answer) => reply(message, answer)))
        return Effect.void
      }

      const refuse = (line: string, { message, request }: Either.Either.Left<ReturnType<typeof parse>>) =>
        request === undefined || running === undefined
          ? Effect.logWarning(`${message}, found ${line.slice(0, 80)}`)
          : options.write(
              JSON.stringify({
                src: running.name,
                dest: request.src,
                body: { ...LinKv.error(codes.malformedRequest, message), in_reply_to: request.msgId }
              })
            )

      yield* Effect.raceFirst(Stream.runForEach(options.lines, handle), FiberSet.join(stopped))
    })
  )

/** Starts the replica. */
const begin = (
  options: Options,
  name: string,
  names: ReadonlyArray<string>
): Effect.Effect<Running & { readonly stopped: Effect.Effect<never, NodeStopped> }, NodeStopped, Scope.Scope> =>
  Effect.gen(function* () {
    const network = yield* Network.make({
      self: name,
      names,
      maxFrameBytes: ReplicaConfig.maxFrameBytes(ReplicaConfig.defaults),
      send: (dest, body) => options.write(JSON.stringify({ src: name, dest, body }))
    })
    const { deadline = defaultDeadline } = options
    const context = yield* Layer.build(
      Replica.layer(Store, { client: { deadline, attempt: Duration.times(deadline, 0.5) } }).pipe(
        Layer.provide([StoreLive, Layer.succeed(Peers.Peers, network.peers), options.journal(name)])
      )
    )
    const store = yield* Effect.provide(Store.client, context)
    const { stopped } = Context.get(context, Replica.Replica)
    return {
      name,
      receive: network.receive,
      answer: (body: Body) => LinKv.answer(store, body),
      stopped: Effect.mapError(stopped, ({ message }) => new NodeStopped({ reason: message }))
    }
  }).pipe(Effect.catchAll(({ message }) => new NodeStopped({ reason: message })))
