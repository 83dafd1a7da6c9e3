import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type { Connection, Events } from "../Connection.js"
import { Disconnected, type DisconnectedReason } from "../Disconnected.js"
import * as Frame from "../Frame.js"
import * as Message from "../Message.js"
import * as outbox from "./outbox.js"

/** @internal */
export interface Settings {
  readonly server: string
  readonly format: Message.Format
  readonly connectTimeout: Duration.Duration
  readonly keepAlive: Duration.Duration
  readonly connect: (events: Events) => Effect.Effect<Connection, { readonly message: string }, Scope.Scope>
}

/** What a session tells the protocol. Each is called synchronously, at the moment it happens. @internal */
export interface Hooks {
  /** The server has answered: requests can be sent. */
  readonly onConnected: (outbox: outbox.Outbox) => void
  /** They can't any more. Comes once, after `onConnected`. */
  readonly onDisconnected: (error: Disconnected) => void
  readonly onMessage: (message: Exclude<Message.FromServer, Message.Goodbye>, bytes: number) => void
  /** All messages of one chunk have been told. */
  readonly onMessages: () => void
}

// How many looks at a silent connection it takes to give it up.
const looks = 4

/**
 * One connection, from the attempt to make it to its end, which is always a failure.
 *
 * @internal
 */
export const run = (settings: Settings, hooks: Hooks): Effect.Effect<never, Disconnected> =>
  Effect.scoped(
    Effect.gen(function* () {
      const ping = Message.encodeFromClient(settings.format, { _tag: "Ping" })
      const greeted = yield* Deferred.make<outbox.Outbox>()
      const ended = yield* Deferred.make<never, Disconnected>()
      let phase: "greeting" | "connected" | "ended" = "greeting"
      let out: outbox.Outbox | undefined
      let silent = 0

      const disconnected = (reason: DisconnectedReason, detail: string): Disconnected =>
        new Disconnected({ server: settings.server, reason, detail, sent: phase !== "greeting" })

      const end = (reason: DisconnectedReason, detail: string): void => {
        if (phase === "ended") return
        const error = disconnected(reason, detail)
        if (phase === "connected") hooks.onDisconnected(error)
        phase = "ended"
        Deferred.unsafeDone(ended, Exit.fail(error))
      }

      const onMessage = (message: Message.FromServer, bytes: number): void => {
        if (message._tag === "Goodbye") {
          end(message.reason, `the server closed it: ${message.message}`)
        } else if (message._tag !== "Pong") {
          hooks.onMessage(message, bytes)
        } else if (phase === "greeting" && out !== undefined) {
          phase = "connected"
          hooks.onConnected(out)
          Deferred.unsafeDone(greeted, Exit.succeed(out))
        }
      }

      const decoder = Frame.makeDecoder({
        cluster: settings.format.cluster,
        maxBytes: settings.format.maxBytes,
        onFrame: (kind, value, bytes) => {
          const message = Message.decodeFromServer(kind, value)
          if (Either.isLeft(message)) return message.left
          onMessage(message.right, bytes)
          return undefined
        }
      })

      const open = Effect.gen(function* () {
        const connection = yield* Effect.mapError(
          settings.connect({
            onData: (chunk) => {
              silent = 0
              const error = decoder.push(chunk)
              hooks.onMessages()
              if (Option.isSome(error)) {
                end(error.value.reason._tag, `the server sent what can't be read: ${error.value.message}`)
              }
            },
            onDrain: () => out?.onDrain(),
            onClose: (why) => end("Lost", why === undefined ? "it ended." : `it broke (${why}).`)
          }),
          (error) => disconnected("Unreachable", error.message)
        )
        out = outbox.make(connection)
        // Requests of the last turn still leave when the scope closes.
        yield* Effect.addFinalizer(() => Effect.sync(() => out?.flush()))
        out.push(ping)
        return yield* Effect.raceFirst(Deferred.await(greeted), Deferred.await(ended))
      })

      yield* Effect.addFinalizer(() => Effect.sync(() => end("Lost", "the client closed it.")))
      const connected = yield* Effect.timeoutFail(open, {
        duration: settings.connectTimeout,
        onTimeout: () => disconnected("Silent", `no answer within ${Duration.format(settings.connectTimeout)}.`)
      })

      // Counts looks and not time, so that a process that was itself stopped doesn't blame the server.
      const look = Effect.sync(() => {
        silent++
        if (silent === looks / 2) connected.push(ping)
        if (silent === looks) end("Silent", "the server doesn't answer any more.")
      })
      const keepLooking = Effect.forever(Effect.delay(look, Duration.times(settings.keepAlive, 1 / looks)))
      return yield* Effect.raceFirst(Deferred.await(ended), keepLooking)
    })
  )
