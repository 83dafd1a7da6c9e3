/**
 * Machines whose state is a value in memory, as `StateMachine.make` defines them: functions of that value, and the running copy
 * that a replica opens.
 *
 * ```
 *   batch of a slot ──► ExactlyOnce ──► decode ─► handler ─► encode ──► answer and next state
 * ```
 *
 * The functions are synchronous and none of them throws: what can't be decoded, and what a handler does wrong, is
 * answered in the same words everywhere and changes nothing.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Runtime from "effect/Runtime"
import type * as Scope from "effect/Scope"
import * as Digest from "./Digest.js"
import * as ExactlyOnce from "./ExactlyOnce.js"
import type { Executor, Where } from "./Executor.js"
import { HandlerRuntime } from "./internal/handlerRuntime.js"
import { Interpreter, type UntypedHandlers, type ValueDefinition } from "./internal/interpreter.js"
import { TableSessions } from "./internal/tableSessions.js"
import * as Machine from "./Machine.js"
import type { Replicated } from "./Replicated.js"
import * as Session from "./Session.js"
import * as SessionTable from "./SessionTable.js"
import * as Snapshot from "./Snapshot.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Applied<State = any> {
  readonly state: Replicated<State>
  /** One `Reply` an envelope of the batch, in order. */
  readonly replies: ReadonlyArray<Uint8Array>
}

/**
 * @since 0.1.0
 * @category models
 */
export interface ValueExecutor<State = any> extends Executor {
  readonly bounded: (sessions: SessionTable.Bounds) => ValueExecutor<State>
  /** A copy at slot 0. */
  readonly open: (where: Where) => Effect.Effect<ValueMachine<State>, never, Scope.Scope>
  /** What a replica holds before the first slot. */
  readonly initial: Replicated<State>
  /** Applies the batch of a slot. Bytes that are no batch get no reply and change nothing. Never throws. */
  readonly apply: (
    state: Replicated<State>,
    at: Machine.At,
    batch: Uint8Array,
    performed?: Machine.Performed,
    decoded?: ReadonlyArray<ReadonlyArray<Machine.Decoded>>
  ) => Applied<State>
  /** As that of the machine. */
  readonly decode: (command: Uint8Array) => Either.Either<Machine.Decoded, Uint8Array>
  /** Answers a query with the bytes of an `Answer`; `at` is the last slot applied. Never throws. */
  readonly query: (state: Replicated<State>, at: Machine.At, query: Uint8Array) => Uint8Array
  /** Equal for equal states, however they came about; 16 hex digits. */
  readonly digest: (state: Replicated<State>) => string
  /** The state as bytes. Throws when the state's own schema refuses it: then the machine is wrong. */
  readonly snapshot: (state: Replicated<State>) => Uint8Array
  /** The state that a snapshot was taken of. */
  readonly restore: (bytes: Uint8Array) => Either.Either<Replicated<State>, Snapshot.SnapshotError>
}

/**
 * A running copy of such a machine.
 *
 * @since 0.1.0
 * @category models
 */
export interface ValueMachine<State = any> extends Machine.Machine {
  /** The state now; a value that later slots leave as it is. */
  readonly replicated: () => Replicated<State>
}

/**
 * The executor of a machine with its handlers, which run with the loggers and settings of `runtime`.
 *
 * @internal
 */
export const make = <State>(
  definition: ValueDefinition<State>,
  handlers: UntypedHandlers<State>,
  runtime: Runtime.Runtime<never>
): ValueExecutor<State> => {
  const interpreter = new Interpreter(definition, handlers, new HandlerRuntime(runtime), runtime)
  return bounded(definition, Snapshot.format(definition), interpreter, definition.sessions)
}

const bounded = <State>(
  definition: ValueDefinition<State>,
  format: Snapshot.Format<State>,
  interpreter: Interpreter<State>,
  bounds: SessionTable.Bounds
): ValueExecutor<State> => {
  const { name, version } = definition
  const executor: ValueExecutor<State> = {
    machine: { name, version },
    sessions: bounds,
    bounded: (other) => bounded(definition, format, interpreter, other),
    open: () => Effect.sync(() => open(executor, format)),
    apart: () => Effect.sync(() => open(executor, format)),
    initial: { state: definition.initial, sessions: SessionTable.empty },
    apply: (replicated, at, batch, performed, decoded) => {
      let { state } = replicated
      const sessions = new TableSessions(replicated.sessions, bounds)
      const perform = (index: number, command: Uint8Array, decoded: Machine.Decoded | undefined) => {
        const result = interpreter.command(state, at, index, command, decoded)
        state = result.state
        return result.answer
      }
      const replies = ExactlyOnce.apply(sessions, at, batch, perform, performed, decoded)
      const changed = state !== replicated.state || sessions.table !== replicated.sessions
      return { state: changed ? { state, sessions: sessions.table } : replicated, replies }
    },
    decode: (command) => interpreter.decode(command),
    query: (replicated, at, query) => interpreter.query(replicated.state, at, query),
    digest: ({ sessions, state }) =>
      Digest.of([
        state,
        sessions.opened,
        SessionTable.entries(sessions).map(([id, session]) => [
          id,
          session.used,
          session.acknowledged,
          Session.answers(session)
        ]),
        SessionTable.over(sessions)
      ]),
    snapshot: (replicated) => Snapshot.encode(format, replicated),
    restore: (bytes) => Snapshot.decode(format, bytes)
  }
  return executor
}

const open = <State>(executor: ValueExecutor<State>, format: Snapshot.Format<State>): ValueMachine<State> => {
  let replicated = executor.initial
  let at = Machine.beginning
  return {
    at: () => at,
    replicated: () => replicated,
    apply: (next, batch, performed, decoded) => {
      const applied = executor.apply(replicated, next, batch, performed, decoded)
      replicated = applied.state
      at = next
      return Either.right(applied.replies)
    },
    decode: executor.decode,
    query: (query) => Either.right(executor.query(replicated, at, query)),
    digest: Effect.sync(() => ({ at, digest: executor.digest(replicated) })),
    freeze: Effect.sync(() => {
      const writer = format.writer(replicated)
      return { at, next: (bytes) => Effect.sync(() => writer.next(bytes)) }
    }),
    restore: Effect.sync(() => {
      const reader = format.reader()
      return {
        write: (bytes) => Effect.suspend(() => reader.write(bytes)),
        end: (place) =>
          Effect.map(
            Effect.suspend(() => reader.end()),
            (state) => ({
              at: place,
              adopt: Effect.sync(() => {
                replicated = state
                at = place
              })
            })
          )
      } satisfies Machine.Restoration
    }),
    durableThrough: () => undefined
  }
}
