/**
 * What machines of every kind have in common: the definition of commands and queries, a client for them, and handlers that are
 * run alike on every replica. Who makes another kind of machine, which keeps its state elsewhere than in a value, begins here.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import type * as Runtime from "effect/Runtime"
import type * as Caller from "./Caller.js"
import { makeClient } from "./internal/client.js"
import { HandlerRuntime } from "./internal/handlerRuntime.js"
import { type Definition, Interpreter } from "./internal/interpreter.js"
import * as Procedure from "./internal/procedure.js"
import * as Validate from "./internal/validate.js"
import type { At, Decoded } from "./Machine.js"
import * as SessionTable from "./SessionTable.js"

export type { Definition }

/**
 * Why there can be no such machine; thrown where a machine is made.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidMachine extends Data.TaggedError("InvalidMachine")<{
  readonly machine: string
  readonly reason: string
}> {
  override get message(): string {
    return `The machine "${this.machine}" can't be made: ${this.reason}`
  }
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Options extends Pick<Validate.Subject, "version" | "state" | "commands" | "queries"> {
  /** How many clients it remembers, and for how long; {@link SessionTable.defaults} for what is not named. */
  readonly sessions?: { readonly most?: number; readonly expiry?: Duration.DurationInput } | undefined
}

/**
 * The definition of a machine. Throws {@link InvalidMachine}.
 *
 * @since 0.1.0
 * @category constructors
 */
export const define = (name: string, options: Options): Definition => {
  const { expiry = SessionTable.defaults.expiry, most = SessionTable.defaults.most } = options.sessions ?? {}
  const sessions: SessionTable.Bounds = { most, expiry: Duration.toMillis(expiry) }
  const reason = Validate.faultOf({ ...options, name, sessions })
  if (reason !== undefined) throw new InvalidMachine({ machine: name, reason })
  return {
    name,
    version: options.version,
    commands: Procedure.fromRpcs(options.commands),
    queries: Procedure.fromRpcs(options.queries),
    sessions
  }
}

/**
 * A method for every command and query, which calls through `caller`; the same for machines of every kind.
 *
 * @since 0.1.0
 * @category clients
 */
export const client: (definition: Definition, caller: Caller.Caller) => Readonly<Record<string, unknown>> = makeClient

/**
 * A handler that keeps its machine's state where it likes, and is told the payload only.
 *
 * @since 0.1.0
 * @category handlers
 */
export type Handler = (payload: unknown) => Effect.Effect<unknown, unknown>

/**
 * Runs handlers, each to its end at once, with the agreed time as their clock and chance from their place in the log.
 *
 * @since 0.1.0
 * @category handlers
 */
export interface Performer {
  /** Does a command, the `index`-th of its slot, which may be decoded already. */
  readonly command: (at: At, index: number, command: Uint8Array, decoded: Decoded | undefined) => Performed
  /** As that of `Machine`. */
  readonly decode: (command: Uint8Array) => Either.Either<Decoded, Uint8Array>
  /** Answers a query with the bytes of an `Answer`. */
  readonly query: (at: At, query: Uint8Array) => Uint8Array
  /** 32 bits of the chance that the handler which runs now sees. */
  readonly chance: () => number
}

/**
 * @since 0.1.0
 * @category handlers
 */
export interface Performed {
  /** The bytes of an `Answer`. */
  readonly answer: Uint8Array
  /** Its handler succeeded, with what its schema takes. What any other has done counts for nothing, and must be undone. */
  readonly succeeded: boolean
}

/**
 * Runs the handlers of a machine, under the tags of its commands and queries, with the loggers and settings of `runtime`.
 *
 * @since 0.1.0
 * @category handlers
 */
export const performer = (
  definition: Definition,
  handlers: Readonly<Record<string, Handler>>,
  runtime: Runtime.Runtime<never>
): Performer => {
  const handlerRuntime = new HandlerRuntime(runtime)
  const stateless = Object.entries(handlers).map(([tag, handler]) => {
    const run = (_: boolean, payload: unknown): Effect.Effect<unknown, unknown> =>
      definition.commands.has(tag) ? Effect.map(handler(payload), succeed) : handler(payload)
    return [tag, run] as const
  })
  const interpreter = new Interpreter<boolean>(definition, Object.fromEntries(stateless), handlerRuntime, runtime)
  return {
    command: (at, index, command, decoded) => {
      const { answer, state } = interpreter.command(false, at, index, command, decoded)
      return { answer, succeeded: state }
    },
    decode: (command) => interpreter.decode(command),
    query: (at, query) => interpreter.query(false, at, query),
    chance: () => handlerRuntime.random.uint32()
  }
}

/** The interpreter's state says whether the handler has moved it. */
const succeed = (reply: unknown): readonly [unknown, boolean] => [reply, true]
