/**
 * What `toLayer` makes of a machine and its handlers: something that replicas can open and run.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Machine, MachineFailed } from "./Machine.js"
import type * as SessionTable from "./SessionTable.js"

/**
 * Who opens a machine: what it keeps on a disk belongs to one node of one cluster.
 *
 * @since 0.1.0
 * @category models
 */
export interface Where {
  readonly cluster: string
  readonly node: number
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Executor {
  readonly machine: { readonly name: string; readonly version: number }
  /** How many sessions there may be, and how long they last. */
  readonly sessions: SessionTable.Bounds
  /** The same machine with other bounds: in simulated worlds, where narrow ones are met often. */
  readonly bounded: (sessions: SessionTable.Bounds) => Executor
  /** A copy that runs until the scope closes. One at a time is open for a node. */
  readonly open: (where: Where) => Effect.Effect<Machine, MachineFailed, Scope.Scope>
  /** Another copy, at slot 0, beside the one that runs, and gone with the scope: for looking at what was before. */
  readonly apart: (where: Where) => Effect.Effect<Machine, MachineFailed, Scope.Scope>
}

/**
 * The executor of the machine `Name`, in the requirements of an effect or layer.
 *
 * @since 0.1.0
 * @category models
 */
export interface Id<in out Name extends string> {
  readonly _: "@synod/state-machine/Executor"
  readonly name: (_: Name) => Name
}

/**
 * The tag of the executor of a machine, which may be of a special kind.
 *
 * @since 0.1.0
 * @category tags
 */
export const Tag = <Name extends string, E extends Executor = Executor>(name: Name): Context.Tag<Id<Name>, E> =>
  Context.GenericTag<Id<Name>, E>(`@synod/state-machine/Executor/${name}`)
