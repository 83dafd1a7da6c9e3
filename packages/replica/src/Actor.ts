/**
 * The one place where steps meet the world. An actor owns a role's state; one fiber takes all that its mailbox holds, steps
 * through it, and then does what the steps asked, always in this order:
 *
 * ```
 *   mailbox ──► step, step, step ──► persist ──► send ──► deliver ──► mailbox …
 *               (plain functions)    one commit  replies,  to the
 *                                                requests  next actor
 * ```
 *
 * So nothing is said that is not durable, whatever crashes in between, and load makes the batches.
 *
 * @since 0.1.0
 */
import type { Step } from "@synod/paxos"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Mailbox from "effect/Mailbox"
import type * as Scope from "effect/Scope"

/**
 * @since 0.1.0
 * @category models
 */
export interface Actor<Input, State> {
  /** Puts an input into the mailbox; false when it is full, and the input is lost. */
  readonly tell: (input: Input) => boolean
  /** Puts an input into the mailbox, and waits for room first. */
  readonly offer: (input: Input) => Effect.Effect<void>
  /** The state after the last finished turn. */
  readonly state: () => State
  /** The actor's life; it ends only by a failure or a defect, or when it is interrupted. */
  readonly run: Effect.Effect<never, Failure>
}

/**
 * What a role can't go on after, as one sentence for the person who runs it.
 *
 * @since 0.1.0
 * @category errors
 */
export interface Failure {
  readonly message: string
}

/**
 * What one input asked for.
 *
 * @since 0.1.0
 * @category models
 */
export interface Asked<Input, Action> {
  readonly input: Input
  readonly action: Action
}

/**
 * A place between two parts of a turn, before an actor goes on.
 *
 * @since 0.1.0
 * @category models
 */
export type Point = "persist" | "send" | "deliver" | "end"

/**
 * Called at every {@link Point} of every actor; a test or a simulated world crashes a replica there. Does nothing by default.
 *
 * @since 0.1.0
 * @category tags
 */
export class Checkpoint extends Context.Reference<Checkpoint>()("@synod/replica/Actor/Checkpoint", {
  defaultValue: (): ((actor: string, point: Point) => Effect.Effect<void>) | undefined => undefined
}) {}

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = <State, Input, Action, E extends Failure = Failure>(options: {
  readonly name: string
  readonly initial: State
  /** Inputs that may wait. */
  readonly mailbox: number
  readonly step: (state: State, input: Input) => Step.Step<State, Action>
  /** Makes durable what the steps of this turn asked to; runs before anything is sent. */
  readonly persist?: (asked: ReadonlyArray<Asked<Input, Action>>) => Effect.Effect<void, E> | undefined
  /**
   * When that fails: the state to go on from. Nothing of the turn was said, and its inputs are as if lost. Without it the
   * actor ends with the failure.
   */
  readonly recover?: (failure: E, inputs: Iterable<Input>) => Effect.Effect<State, Failure>
  /** Says what the steps of this turn asked to. */
  readonly send: (asked: ReadonlyArray<Asked<Input, Action>>) => Effect.Effect<void> | undefined
  /** Hands on what the steps of this turn asked to; may wait for room. */
  readonly deliver?: (asked: ReadonlyArray<Asked<Input, Action>>) => Effect.Effect<void, Failure> | undefined
}): Effect.Effect<Actor<Input, State>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const mailbox = yield* Mailbox.make<Input>({ capacity: options.mailbox })
    const checkpoint = yield* Checkpoint
    let state = options.initial

    // A turn runs for every message of the protocol: it is put together of as few effects as it has parts that wait.
    const reach = (point: Point, then: () => Effect.Effect<void, Failure>): Effect.Effect<void, Failure> =>
      checkpoint === undefined ? then() : Effect.flatMap(checkpoint(options.name, point), then)

    const turn = (inputs: Iterable<Input>): Effect.Effect<void, Failure> => {
      const asked: Array<Asked<Input, Action>> = []
      let next = state
      for (const input of inputs) {
        const step = options.step(next, input)
        next = step.state
        for (const action of step.actions) asked.push({ input, action })
      }
      return reach("persist", () => {
        const persisting = asked.length === 0 ? undefined : options.persist?.(asked)
        if (persisting === undefined) return say(next, asked)
        const { recover } = options
        return recover === undefined
          ? Effect.flatMap(persisting, () => say(next, asked))
          : Effect.matchEffect(persisting, {
              onFailure: (failure) => Effect.map(recover(failure, inputs), (recovered) => void (state = recovered)),
              onSuccess: () => say(next, asked)
            })
      })
    }

    const say = (next: State, asked: ReadonlyArray<Asked<Input, Action>>): Effect.Effect<void, Failure> => {
      state = next
      const deliver = () => {
        const delivering = options.deliver?.(asked)
        const end = () => reach("end", () => Effect.void)
        return delivering === undefined ? end() : Effect.flatMap(delivering, end)
      }
      return reach("send", () => {
        const sending = options.send(asked)
        const sent = () => reach("deliver", deliver)
        return sending === undefined ? sent() : Effect.flatMap(sending, sent)
      })
    }

    // Without the yield of `Effect.forever`: whoever finds nothing in the mailbox yields anyway.
    const run: Effect.Effect<never, Failure> = Effect.flatMap(
      Effect.flatMap(mailbox.takeAll, ([inputs]) => turn(inputs)),
      () => run
    )

    return {
      tell: (input) => mailbox.unsafeOffer(input),
      offer: (input) => mailbox.offer(input),
      state: () => state,
      run
    }
  })
