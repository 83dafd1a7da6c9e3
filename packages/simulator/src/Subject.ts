/**
 * A machine as a simulated world sees it: its states are values, wherever the machine itself keeps them, so that what was
 * applied can be applied again, and what was answered asked again.
 *
 * @since 0.1.0
 */
import { Digest, SessionTable } from "@synod/state-machine"
import type { Caller, Executor, Machine, Replicated, Snapshot, StateMachine, ValueExecutor } from "@synod/state-machine"
import type { SqlStore } from "@synod/sql-machine/SqlStore"
import type * as Rpc from "@effect/rpc/Rpc"
import type * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"

/**
 * What any machine has that can be simulated.
 *
 * @since 0.1.0
 * @category models
 */
export interface Simulated<
  Name extends string,
  Commands extends Rpc.Any,
  Queries extends Rpc.Any,
  E extends Executor.Executor = any
> extends StateMachine.Runnable<Name, E> {
  readonly name: Name
  readonly commands: ReadonlyArray<Commands>
  readonly queries: ReadonlyArray<Queries>
  readonly client: Effect.Effect<StateMachine.Client<Commands, Queries>, never, Caller.Id<Name>>
}

/**
 * A machine's handlers. Those on tables get the store that the world keeps for each node.
 *
 * @since 0.1.0
 * @category models
 */
export type Live<Name extends string> = Layer.Layer<Executor.Id<Name>, never, SqlStore>

/**
 * `State` is all that replicas hold alike, sessions too; `Shown` is what an invariant of the user's is shown of it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Subject<State, Shown> {
  readonly executor: Executor.Executor
  readonly open: (where: Executor.Where) => Effect.Effect<Opened<State>, Machine.MachineFailed, Scope.Scope>
  /** Before the first slot. */
  readonly initial: State
  readonly apply: (state: State, at: Machine.At, batch: Uint8Array) => Applied<State>
  readonly query: (state: State, at: Machine.At, query: Uint8Array) => Uint8Array
  readonly digest: (state: State) => string
  /** The digest without sessions. */
  readonly own: (state: State) => string
  /** How many sessions are open, how many were ever, and a digest of those that are over. */
  readonly sessions: (state: State) => Sessions
  /** The digest of what comes out of a snapshot of it. */
  readonly again: (state: State) => Either.Either<string, Snapshot.SnapshotError>
  readonly shown: (state: State) => Shown
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Sessions {
  readonly open: number
  readonly opened: number
  readonly over: string
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Applied<State> {
  readonly state: State
  readonly replies: ReadonlyArray<Uint8Array>
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Opened<State> extends Machine.Machine {
  /** The state now. */
  readonly replicated: () => State
}

/**
 * A machine whose state is a value already.
 *
 * @since 0.1.0
 * @category constructors
 */
export const ofValues = <State>(
  executor: ValueExecutor.ValueExecutor<State>
): Subject<Replicated.Replicated<State>, State> => ({
  executor,
  open: executor.open,
  initial: executor.initial,
  apply: executor.apply,
  query: executor.query,
  digest: executor.digest,
  own: ({ state }) => Digest.of(state),
  sessions: ({ sessions }) => ({
    open: SessionTable.entries(sessions).length,
    opened: sessions.opened,
    over: Digest.of(SessionTable.over(sessions))
  }),
  again: (state) => Either.map(executor.restore(executor.snapshot(state)), executor.digest),
  shown: ({ state }) => state
})
