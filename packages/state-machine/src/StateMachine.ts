/**
 * A replicated state machine: typed commands that move its state, typed queries that read it.
 *
 * ```ts
 * const Increment = Rpc.make("Increment", { payload: { by: Schema.Int }, success: Schema.Int })
 * const Value = Rpc.make("Value", { success: Schema.Int })
 *
 * const Counter = StateMachine.make("Counter", {
 *   version: 1,
 *   state: Schema.Int,
 *   initial: 0,
 *   commands: [Increment],
 *   queries: [Value]
 * })
 *
 * const CounterLive = Counter.toLayer({
 *   Increment: (state, { by }) => Effect.succeed([state + by, state + by]),
 *   Value: (state) => Effect.succeed(state)
 * })
 *
 * const program = Effect.gen(function*() {
 *   const counter = yield* Counter.client
 *   yield* counter.Increment({ by: 2 })
 *   return yield* counter.Value()
 * })
 * ```
 *
 * Handlers are deterministic by construction: they see the time agreed for their slot as `Clock`, a generator seeded by
 * their place in the log as `Random`, no services and no environment. They must come to their end at once. The state
 * moves only when a command's handler succeeds.
 *
 * The file is longer than others because it is one concept and mostly types: what a machine, its handlers and its
 * client look like follows from its `Rpc`s, and is read together.
 *
 * @since 0.1.0
 */
import type * as Rpc from "@effect/rpc/Rpc"
import type * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Schema from "effect/Schema"
import type * as Types from "effect/Types"
import * as Caller from "./Caller.js"
import * as Executor from "./Executor.js"
import type * as Feed from "./Feed.js"
import type { UntypedHandlers, ValueDefinition } from "./internal/interpreter.js"
import { makeLocalCaller } from "./internal/localCaller.js"
import * as Validate from "./internal/validate.js"
import * as Kind from "./Kind.js"
import type * as SessionTable from "./SessionTable.js"
import * as ValueExecutor from "./ValueExecutor.js"
import type { CommandDefect, OutcomeUnknown, Overloaded, SessionExpired, Token, Unavailable } from "./Outcome.js"

/**
 * @since 0.1.0
 * @category type ids
 */
export const TypeId: unique symbol = Symbol.for("@synod/state-machine/StateMachine")

/**
 * @since 0.1.0
 * @category type ids
 */
export type TypeId = typeof TypeId

/**
 * A machine: its name, its schemas and the tags under which its executor and its caller are found. Handlers are added
 * by `toLayer`, on replicas only, so that clients and browsers import no more than this.
 *
 * @since 0.1.0
 * @category models
 */
export interface StateMachine<
  in out Name extends string,
  in out State,
  in out Commands extends Rpc.Any,
  in out Queries extends Rpc.Any
> extends Any {
  readonly name: Name
  readonly state: Schema.Schema<State, any>
  readonly initial: State
  readonly commands: ReadonlyArray<Commands>
  readonly queries: ReadonlyArray<Queries>
  /** What replicas run; provided by `toLayer`. */
  readonly executor: Context.Tag<Executor.Id<Name>, ValueExecutor.ValueExecutor<State>>
  /** What the client calls through; provided by deployments and by {@link layerLocal}. */
  readonly caller: Context.Tag<Caller.Id<Name>, Caller.Caller>
  /** A method for every command and query. */
  readonly client: Effect.Effect<Client<Commands, Queries>, never, Caller.Id<Name>>
  /**
   * The machine with its handlers, or with an effect that builds them. Services belong in that effect, where they are
   * seen to be the same on every replica; handlers themselves need none.
   */
  readonly toLayer: <E = never, R = never>(
    handlers: Handlers<State, Commands, Queries> | Effect.Effect<Handlers<State, Commands, Queries>, E, R>
  ) => Layer.Layer<Executor.Id<Name>, E, R>
}

/**
 * Any machine.
 *
 * @since 0.1.0
 * @category models
 */
export interface Any {
  readonly [TypeId]: TypeId
  readonly name: string
  readonly version: number
  readonly executor: Context.Tag<any, any>
  readonly caller: Context.Tag<any, Caller.Caller>
}

/**
 * A machine of the name, of whatever kind, as whoever runs it needs it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Runnable<Name extends string, E extends Executor.Executor = any> {
  readonly executor: Context.Tag<Executor.Id<Name>, E>
  readonly caller: Context.Tag<Caller.Id<Name>, Caller.Caller>
}

/**
 * The executor's identifier in the requirements of whoever runs the machine `M`.
 *
 * @since 0.1.0
 * @category models
 */
export type ExecutorId<M extends Any> = Context.Tag.Identifier<M["executor"]>

/**
 * The caller's identifier in the requirements of whoever calls the machine `M`.
 *
 * @since 0.1.0
 * @category models
 */
export type CallerId<M extends Any> = Context.Tag.Identifier<M["caller"]>

/**
 * @since 0.1.0
 * @category models
 */
export type State<M> = M extends StateMachine<infer _Name, infer S, infer _Commands, infer _Queries> ? S : never

/**
 * A command's handler: its reply and the next state, or an error and the state as it was.
 *
 * @since 0.1.0
 * @category handlers
 */
export type CommandHandler<State, Command extends Rpc.Any> = (
  state: State,
  payload: Rpc.Payload<Command>
) => Effect.Effect<readonly [reply: Rpc.Success<Command>, state: State], Rpc.Error<Command>>

/**
 * A query's handler: its reply, or an error.
 *
 * @since 0.1.0
 * @category handlers
 */
export type QueryHandler<State, Query extends Rpc.Any> = (
  state: State,
  payload: Rpc.Payload<Query>
) => Effect.Effect<Rpc.Success<Query>, Rpc.Error<Query>>

/**
 * A handler for every command and query of a machine, under its tag.
 *
 * @since 0.1.0
 * @category handlers
 */
export type Handlers<State, Commands extends Rpc.Any, Queries extends Rpc.Any> = Types.Simplify<
  { readonly [Command in Commands as Rpc.Tag<Command>]: CommandHandler<State, Command> } & {
    readonly [Query in Queries as Rpc.Tag<Query>]: QueryHandler<State, Query>
  }
>

/**
 * The handlers of the machine `M`, for handlers that are written apart from `toLayer`.
 *
 * @since 0.1.0
 * @category handlers
 */
export type HandlersOf<M> =
  M extends StateMachine<infer _Name, infer S, infer Commands, infer Queries> ? Handlers<S, Commands, Queries> : never

/**
 * A method for every command and query of a machine, under its tag, {@link Methods}, and those of `Feed`.
 *
 * @since 0.1.0
 * @category clients
 */
export type Client<Commands extends Rpc.Any, Queries extends Rpc.Any> = Types.Simplify<
  {
    readonly [Command in Commands as Rpc.Tag<Command>]: (
      payload: Rpc.PayloadConstructor<Command>
    ) => Effect.Effect<
      Rpc.Success<Command>,
      Rpc.Error<Command> | CommandDefect | Unavailable | OutcomeUnknown | SessionExpired | Overloaded
    >
  } & {
    readonly [Query in Queries as Rpc.Tag<Query>]: (
      payload: Rpc.PayloadConstructor<Query>
    ) => Effect.Effect<Rpc.Success<Query>, Rpc.Error<Query> | CommandDefect | Unavailable | Overloaded>
  } & Methods<Commands> &
    Feed.Methods<Commands, Queries>
>

/**
 * What every client has besides the machine's own commands and queries.
 *
 * @since 0.1.0
 * @category clients
 */
export interface Methods<out Commands extends Rpc.Any> {
  /**
   * What became of a command whose outcome is unknown. It ends as the command itself would have: with its success or with
   * its own error. If the command was not applied yet, it never will be: `NeverApplied`, and it may be called anew.
   *
   * `OutcomeUnknown`: nobody could be asked, and the token is as good as before. `SessionExpired`: it is too late to ask.
   */
  readonly resolve: (
    token: Token
  ) => Effect.Effect<
    Resolved<Commands>,
    Rpc.Error<Commands> | CommandDefect | OutcomeUnknown | SessionExpired | Overloaded
  >
  /**
   * The highest slot that an answer to this client has shown the effect of; 0 before the first. Another client that is told
   * so sees as much with `Consistency.atLeast`.
   */
  readonly seen: Effect.Effect<number>
}

/**
 * What became of a command: it was applied with this success, or it never will be.
 *
 * @since 0.1.0
 * @category clients
 */
export type Resolved<Commands extends Rpc.Any> =
  | { readonly _tag: "NeverApplied" }
  | (Commands extends Rpc.Any
      ? { readonly _tag: "Applied"; readonly command: Rpc.Tag<Commands>; readonly value: Rpc.Success<Commands> }
      : never)

/**
 * The client of the machine `M`.
 *
 * @since 0.1.0
 * @category clients
 */
export type ClientOf<M> =
  M extends StateMachine<infer _Name, infer _S, infer Commands, infer Queries> ? Client<Commands, Queries> : never

/**
 * An `Rpc` that can be a command or a query: one reply, no middleware, and schemas that need no services.
 *
 * @since 0.1.0
 * @category models
 */
export type AnyRpc = Rpc.Rpc<
  any,
  Schema.Schema<any, any>,
  Schema.Schema<any, any>,
  Schema.Schema<any, any> | Schema.Schema<never, any> | Schema.Schema<never, never>,
  never
>

export {
  /**
   * Why there can be no such machine; thrown by {@link make}.
   *
   * @since 0.1.0
   * @category errors
   */
  InvalidMachine
} from "./Kind.js"

/**
 * Makes a machine. The state's schema is also the format of its snapshots.
 *
 * Throws {@link InvalidMachine} for an empty name, a version that is no positive integer, tags that are empty, used twice
 * or {@link Methods} and those of `Feed`, streams, bounds of sessions that leave room for none, and an initial state that its own schema does not carry to a snapshot and back.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = <
  const Name extends string,
  State,
  Encoded,
  const Commands extends ReadonlyArray<AnyRpc>,
  const Queries extends ReadonlyArray<AnyRpc>
>(
  name: Name,
  options: {
    /** Raised with every change of the state's schema, of what handlers do, or of the bounds of sessions. */
    readonly version: number
    readonly state: Schema.Schema<State, Encoded>
    readonly initial: Types.NoInfer<State>
    readonly commands: Commands
    readonly queries: Queries
    /** How many clients it remembers, and for how long; {@link SessionTable.defaults} for what is not named. */
    readonly sessions?: { readonly most?: number; readonly expiry?: Duration.DurationInput }
  }
): StateMachine<Name, State, Commands[number], Queries[number]> => {
  const definition: ValueDefinition<State> = {
    ...Kind.define(name, options),
    schema: options.state as Schema.Schema<State, unknown>,
    initial: options.initial
  }
  const reason = Validate.faultOfInitial(definition)
  if (reason !== undefined) throw new Kind.InvalidMachine({ machine: name, reason })
  const executor = Executor.Tag<Name, ValueExecutor.ValueExecutor<State>>(name)
  const caller = Caller.Tag(name)
  return {
    [TypeId]: TypeId,
    name,
    version: options.version,
    state: options.state,
    initial: options.initial,
    commands: options.commands,
    queries: options.queries,
    executor,
    caller,
    client: Effect.map(
      caller,
      (service) => Kind.client(definition, service) as Client<Commands[number], Queries[number]>
    ),
    toLayer: (handlers) =>
      Layer.effect(
        executor,
        Effect.gen(function* () {
          const built = Effect.isEffect(handlers) ? yield* handlers : handlers
          const runtime = yield* Effect.runtime<never>()
          return ValueExecutor.make(definition, built as UntypedHandlers<State>, runtime)
        })
      )
  }
}

/**
 * A caller that applies commands in this process, as they come, with neither consensus nor durability: for the unit
 * tests of a machine. What it is sent goes through the same bytes, sessions and executor as on a replica.
 *
 * ```ts
 * const BankTest = StateMachine.layerLocal(Bank).pipe(Layer.provide(BankLive))
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerLocal = <Name extends string, E extends Executor.Executor>(
  machine: Runnable<Name, E>
): Layer.Layer<Caller.Id<Name>, never, Executor.Id<Name>> =>
  Layer.scoped(machine.caller, Effect.flatMap(machine.executor, makeLocalCaller))
