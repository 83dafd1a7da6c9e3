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
import * as FiberRef from "effect/FiberRef"

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
  readonly recover?: (failure: E, inputs: ReadonlyArray<Input>) => Effect.Effect<State, Failure>
  /** Says what the steps of this turn asked to. With nothing left to wait for, it gives back nothing: an effect costs a fiber. */
  readonly send: (asked: ReadonlyArray<Asked<Input, Action>>) => Effect.Effect<void> | undefined
  /** Hands on what the steps of this turn asked to; may wait for room. */
  readonly deliver?: (asked: ReadonlyArray<Asked<Input, Action>>) => Effect.Effect<void, Failure> | undefined
}): Effect.Effect<Actor<Input, State>> =>
  Effect.map(Checkpoint, (checkpoint) => {
    let state = options.initial
    let inputs: Array<Input> = []
    /** Whoever waits for room, in the order in which they came. */
    const offers = new Set<Offer<Input>>()
    /** Has the actor look at what has come, while it waits for that. */
    let wake: (() => void) | undefined

    const take = (): ReadonlyArray<Input> => {
      const taken = inputs
      inputs = []
      for (const offer of offers) {
        if (inputs.length === options.mailbox) break
        offers.delete(offer)
        inputs.push(offer.input)
        offer.admitted()
      }
      return taken
    }

    const tell = (input: Input): boolean => {
      if (inputs.length >= options.mailbox) return false
      inputs.push(input)
      wake?.()
      return true
    }

    // A turn runs for every message of the protocol: what of it need not wait is plain calls.
    const reach = (point: Point, then: () => Rest): Rest =>
      checkpoint === undefined ? then() : Effect.flatMap(checkpoint(options.name, point), () => then() ?? Effect.void)

    const turn = (inputs: ReadonlyArray<Input>): Rest => {
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
        const spoken = () => say(next, asked) ?? Effect.void
        return recover === undefined
          ? Effect.flatMap(persisting, spoken)
          : Effect.matchEffect(persisting, {
              onFailure: (failure) => Effect.map(recover(failure, inputs), (recovered) => void (state = recovered)),
              onSuccess: spoken
            })
      })
    }

    const say = (next: State, asked: ReadonlyArray<Asked<Input, Action>>): Rest => {
      state = next
      const deliver = () => {
        const delivering = options.deliver?.(asked)
        const end = () => reach("end", () => undefined)
        return delivering === undefined ? end() : Effect.flatMap(delivering, () => end() ?? Effect.void)
      }
      return reach("send", () => {
        const sending = options.send(asked)
        const sent = () => reach("deliver", deliver)
        return sending === undefined ? sent() : Effect.flatMap(sending, () => sent() ?? Effect.void)
      })
    }

    /**
     * Makes turns as inputs come, each as a task of the scheduler: the fiber itself, which costs more than most turns do, is
     * resumed only by the first of them that has to wait for something.
     */
    const turns = Effect.withFiberRuntime<void, Failure>((fiber) =>
      Effect.async<void, Failure>((resume) => {
        let due = false
        const look = (): void => {
          due = false
          if (wake !== awaken) return
          let rest: Rest
          try {
            rest = turn(take())
          } catch (defect) {
            rest = Effect.die(defect)
          }
          if (rest !== undefined) {
            wake = undefined
            resume(rest)
          } else if (inputs.length > 0) awaken()
        }
        const awaken = (): void => {
          if (due) return
          due = true
          fiber.currentScheduler.scheduleTask(look, fiber.getFiberRef(FiberRef.currentSchedulingPriority), fiber)
        }
        wake = awaken
        return Effect.sync(() => {
          if (wake === awaken) wake = undefined
        })
      })
    )

    // Without the yield of `Effect.forever`: whoever finds no input yields anyway.
    const run: Effect.Effect<never, Failure> = Effect.flatMap(
      Effect.suspend(() => (inputs.length > 0 ? (turn(take()) ?? Effect.void) : turns)),
      () => run
    )

    return {
      tell,
      offer: (input) =>
        Effect.async((resume) => {
          if (tell(input)) return resume(Effect.void)
          const offer = { input, admitted: () => resume(Effect.void) }
          offers.add(offer)
          return Effect.sync(() => offers.delete(offer))
        }),
      state: () => state,
      run
    }
  })

/** What of a turn is left to do by effects, if anything is. */
type Rest = Effect.Effect<void, Failure> | undefined

interface Offer<Input> {
  readonly input: Input
  readonly admitted: () => void
}
