/**
 * What a history is checked against: a machine that does one operation after the other, with nobody else around.
 *
 * @since 0.1.0
 */
import type * as Rpc from "@effect/rpc/Rpc"
import * as Answer from "@synod/state-machine/Answer"
import * as Batch from "@synod/state-machine/Batch"
import * as Command from "@synod/state-machine/Command"
import * as Digest from "@synod/state-machine/Digest"
import * as Envelope from "@synod/state-machine/Envelope"
import type { At } from "@synod/state-machine/Machine"
import * as Reply from "@synod/state-machine/Reply"
import type * as StateMachine from "@synod/state-machine/StateMachine"
import type { ValueExecutor } from "@synod/state-machine/ValueExecutor"
import * as Data from "effect/Data"
import * as Either from "effect/Either"
import type { Operation } from "./History.js"
import type * as Subject from "./Subject.js"

/**
 * What the checker may rely on about an operation, in whichever state it is done.
 *
 * - `nothing`: it changed nothing and its answer tells nothing; the checker leaves it out.
 * - `reads`: it never changes the state.
 * - `overwrites`: it is possible in every state, and always leads to the same one.
 * - `blind`: it is possible in every state.
 * - `updates`: none of these.
 *
 * @since 0.1.0
 * @category models
 */
export type Kind = "nothing" | "reads" | "overwrites" | "blind" | "updates"

/**
 * States are values: a step makes a new one. `undefined` is no state.
 *
 * @since 0.1.0
 * @category models
 */
export interface Model<State> {
  readonly name: string
  readonly initial: State
  /**
   * The state after an operation that was answered as it says, or `undefined` where it can't have been. An operation of
   * unknown outcome may have had any answer.
   */
  readonly step: (state: State, operation: Operation) => State | undefined
  /** Equal for equal states. */
  readonly key: (state: State) => string | number
  readonly kind: (operation: Operation) => Kind
  /** Operations with equal texts do the same in every state, and could stand for each other but for their times. */
  readonly alike: (operation: Operation) => string
  /** Operations of different partitions never see each other. All are in one, if this is left out. */
  readonly partition?: (operation: Operation) => string
  /** Given all operations of a partition: makes states one that none of these operations will ever tell apart. */
  readonly merge?: (operations: ReadonlyArray<Operation>) => (state: State) => State
  /** What lets the checker look ahead, where an operation asks for one state and states come from few others. */
  readonly flow?: Flow<State>
  readonly describe: (operation: Operation) => string
  readonly describeState: (state: State) => string
}

/**
 * How states come about. An operation that leads to a state `b` from elsewhere either makes a state that reaches `b`, or
 * is done in one that does.
 *
 * @since 0.1.0
 * @category models
 */
export interface Flow<State> {
  /** The one state in which the operation is possible, if it is one. */
  readonly needs: (operation: Operation) => State | undefined
  /** The one state that the operation leads to, if it is one and says nothing about the state before. */
  readonly makes: (operation: Operation) => State | undefined
  /** Whether operations that make no state may lead from `a` to `b`; true of any state and itself. */
  readonly reaches: (a: State, b: State) => boolean
  /** Whether the operation needs no one state, and yet not all states are alike to it. */
  readonly varies: (operation: Operation) => boolean
}

/**
 * A machine whose answers depend on more than the commands before: on the agreed time, or on chance, which follows from
 * the place in the log. A history knows of neither.
 *
 * @since 0.1.0
 * @category errors
 */
export class UncheckableMachine extends Data.TaggedError("UncheckableMachine")<{
  readonly machine: string
  readonly operation: string
}> {
  override get message(): string {
    return (
      `${this.machine} can't be a model: what ${this.operation} does depends on the agreed time or on chance, ` +
      "which a history doesn't hold. Check histories of operations that depend on earlier operations only."
    )
  }
}

/** Two places in a log that differ in all that a handler can see of its place. */
const places: readonly [At, At] = [
  { slot: 1, time: 0 },
  { slot: 1_000_003, time: 4_102_444_800_000 }
]

/**
 * The user's own machine as the model. An operation's name is the tag of a command or query, its input the payload as
 * the payload's schema encodes it, and its output the `Answer`, decoded from the bytes that the caller was given.
 *
 * Steps throw {@link UncheckableMachine} for an operation that does something else at another place in the log.
 *
 * @since 0.1.0
 * @category constructors
 */
export const ofMachine = <Name extends string, State, Commands extends Rpc.Any, Queries extends Rpc.Any>(
  machine: StateMachine.StateMachine<Name, State, Commands, Queries>,
  executor: ValueExecutor<State>,
  options: Pick<Model<State>, "partition"> = {}
): Model<State> =>
  ofParts<State>(
    machine,
    {
      initial: machine.initial,
      apply: (state, at, batch) => {
        const applied = executor.apply({ ...executor.initial, state }, at, batch)
        return { state: applied.state.state, replies: applied.replies }
      },
      query: (state, at, query) => executor.query({ ...executor.initial, state }, at, query),
      own: Digest.of,
      opened: () => executor.initial.sessions.opened
    },
    { describeState: text, ...options }
  )

/**
 * The same for a machine whose state is kept elsewhere than in a value.
 *
 * @since 0.1.0
 * @category constructors
 */
export const ofSubject = <State>(
  machine: Pick<Subject.Simulated<any, any, any>, "name" | "queries">,
  subject: Subject.Subject<State, any>,
  options: Pick<Model<State>, "partition"> = {}
): Model<State> =>
  ofParts(
    machine,
    { ...subject, opened: (state) => subject.sessions(state).opened },
    { describeState: subject.own, ...options }
  )

/** What a model needs of a machine. */
interface Parts<State> extends Pick<Subject.Subject<State, any>, "initial" | "apply" | "query" | "own"> {
  /** How many sessions were ever opened. */
  readonly opened: (state: State) => number
}

const ofParts = <State>(
  machine: Pick<Subject.Simulated<any, any, any>, "name" | "queries">,
  subject: Parts<State>,
  options: Pick<Model<State>, "partition" | "describeState">
): Model<State> => {
  const queries = new Set(machine.queries.map((query) => (query as unknown as { readonly _tag: string })._tag))
  const apply = applyOne(subject)
  const run = (state: State, operation: Operation): Ran<State> => {
    const bytes = Either.getOrThrow(Command.encode(operation.name, operation.input))
    const at = (place: At): Ran<State> =>
      queries.has(operation.name) ? { state, answer: subject.query(state, place, bytes) } : apply(state, place, bytes)
    const here = at(places[0])
    const there = at(places[1])
    if (Digest.of([here.answer, key(here.state)]) !== Digest.of([there.answer, key(there.state)])) {
      throw new UncheckableMachine({ machine: machine.name, operation: operation.name })
    }
    return here
  }
  const digests = new WeakMap<object, string>()
  const key = (state: State): string => {
    if (typeof state !== "object" || state === null) return subject.own(state)
    const known = digests.get(state)
    if (known !== undefined) return known
    const digest = subject.own(state)
    digests.set(state, digest)
    return digest
  }
  /** What each command did in each state: a search comes to the same ones again and again, and handlers are slow. */
  const taken = new Map<string, Map<unknown, Map<string, Ran<State>>>>()
  const ranBefore = (state: State, operation: Operation): Ran<State> => {
    const inputs = taken.get(operation.name) ?? new Map<unknown, Map<string, Ran<State>>>()
    taken.set(operation.name, inputs)
    const states = inputs.get(operation.input) ?? new Map<string, Ran<State>>()
    inputs.set(operation.input, states)
    const from = key(state)
    const ran = states.get(from) ?? run(state, operation)
    states.set(from, ran)
    return ran
  }
  return {
    name: machine.name,
    initial: subject.initial,
    step: (state, operation) => {
      const ran = ranBefore(state, operation)
      if (operation.outcome === "unknown") return ran.state
      return Digest.of(Either.getOrThrow(Answer.decode(ran.answer))) === Digest.of(operation.output)
        ? ran.state
        : undefined
    },
    key,
    // A call that failed never reached the machine: what the machine refuses, it answers.
    kind: ({ name, outcome }) => (outcome === "failed" ? "nothing" : queries.has(name) ? "reads" : "updates"),
    alike: ({ input, name, outcome, output }) =>
      `${name} ${Digest.of(input)} ${outcome === "unknown" ? "?" : Digest.of(output)}`,
    describe: ({ input, name, outcome, output }) =>
      `${name}(${text(input)})${outcome === "ok" ? ` = ${textOfAnswer(output)}` : ""}`,
    ...options
  }
}

interface Ran<State> {
  readonly state: State
  readonly answer: Uint8Array
}

/** Each command is the first of a new session, so that none is known already. */
const applyOne = <State>(subject: Parts<State>) => {
  const open = Envelope.encode(Envelope.open)
  return (state: State, place: At, command: Uint8Array): Ran<State> => {
    const session = subject.opened(state) + 1
    const call = Envelope.call({ session, acknowledged: 0, first: 0, commands: [command] })
    const applied = subject.apply(state, place, Batch.encode([open, Envelope.encode(call)]))
    const reply = Either.getOrThrow(Reply.decode(applied.replies[1]!))
    if (reply._tag !== "Replied") throw new TypeError(`A command was applied and ${reply._tag} came.`)
    return { state: applied.state, answer: reply.replies[0]! }
  }
}

const textOfAnswer = (answer: unknown): string => {
  const { _tag, error, value } = answer as {
    readonly _tag?: string
    readonly value?: unknown
    readonly error?: unknown
  }
  return _tag === "Success" ? text(value) : _tag === "Failure" ? `failure ${text(error)}` : text(answer)
}

const text = (value: unknown): string => (value === undefined ? "" : (JSON.stringify(value) ?? String(value)))
