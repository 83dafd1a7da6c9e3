/**
 * The shape that all roles share.
 *
 * @since 0.1.0
 */

/**
 * What a role does with one input: its next state, and what its actor is asked to do, in this order: everything that must
 * be durable, then what is sent, then what is delivered.
 *
 * @since 0.1.0
 * @category models
 */
export interface Step<State, Action> {
  readonly state: State
  readonly actions: ReadonlyArray<Action>
}

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = <State, Action>(state: State, ...actions: ReadonlyArray<Action>): Step<State, Action> => ({
  state,
  actions
})
