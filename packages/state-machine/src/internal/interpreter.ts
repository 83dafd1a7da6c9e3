/**
 * From the bytes of one command or query to the bytes of its answer: find the handler, decode, run, encode.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Runtime from "effect/Runtime"
import type * as Schema from "effect/Schema"
import * as Answer from "../Answer.js"
import * as Command from "../Command.js"
import type { Decoded } from "../Machine.js"
import * as Defect from "./defect.js"
import type { HandlerRuntime } from "./handlerRuntime.js"
import type * as SessionTable from "../SessionTable.js"
import type { Procedure } from "./procedure.js"

/** A machine of any kind without the types of its commands and queries. */
export interface Definition {
  readonly name: string
  readonly version: number
  readonly commands: ReadonlyMap<string, Procedure>
  readonly queries: ReadonlyMap<string, Procedure>
  readonly sessions: SessionTable.Bounds
}

/** A machine whose state is a value. */
export interface ValueDefinition<State> extends Definition {
  readonly schema: Schema.Schema<State, unknown>
  readonly initial: State
}

export type UntypedHandler<State> = (state: State, payload: unknown) => Effect.Effect<unknown, unknown>

export type UntypedHandlers<State> = Readonly<Record<string, UntypedHandler<State>>>

interface At {
  readonly slot: number
  readonly time: number
}

interface Handled<State> {
  readonly state: State
  readonly answer: Uint8Array
}

interface Entry<State> extends Procedure {
  readonly handler: UntypedHandler<State>
}

/** Whom to ask, and what; or the answer that says why that can't be. */
type Read<State> = Either.Either<{ readonly entry: Entry<State>; readonly payload: unknown }, Uint8Array>

/** An answer is kept until it is acknowledged, so a tag that no one knows is repeated only so far. */
const MAX_UNKNOWN_TAG = 100

export class Interpreter<State> {
  private readonly commands: ReadonlyMap<string, Entry<State>>
  private readonly queries: ReadonlyMap<string, Entry<State>>

  constructor(
    private readonly definition: Definition,
    handlers: UntypedHandlers<State>,
    private readonly handlerRuntime: HandlerRuntime,
    private readonly app: Runtime.Runtime<never>
  ) {
    const withHandlers = (procedures: ReadonlyMap<string, Procedure>) =>
      new Map(
        Array.from(procedures.values(), (procedure): [string, Entry<State>] => {
          const handler = handlers[procedure.tag]
          if (typeof handler !== "function") {
            throw new TypeError(`${definition.name} has no handler for ${procedure.tag}`)
          }
          return [procedure.tag, { ...procedure, handler }]
        })
      )
    this.commands = withHandlers(definition.commands)
    this.queries = withHandlers(definition.queries)
  }

  /** A command is the only thing that moves the state, and only if its handler succeeds with a value it may reply. */
  command(state: State, at: At, index: number, bytes: Uint8Array, decoded?: Decoded): Handled<State> {
    let next = state
    const read = decoded === undefined ? this.read("command", this.commands, bytes) : this.known(decoded)
    const answer = this.answer(read, state, at, index, (entry, value) => {
      if (!Array.isArray(value) || value.length !== 2) return undefined
      const success = encodeSuccess(entry, value[0])
      if (success !== undefined) next = value[1] as State
      return success
    })
    return { state: next, answer }
  }

  query(state: State, at: At, bytes: Uint8Array): Uint8Array {
    return this.answer(this.read("query", this.queries, bytes), state, at, 0, encodeSuccess)
  }

  /** The command; or the answer that it gets in whichever state, since no handler can be asked. */
  decode(bytes: Uint8Array): Either.Either<Decoded, Uint8Array> {
    return Either.map(this.read("command", this.commands, bytes), ({ entry, payload }) => ({ tag: entry.tag, payload }))
  }

  private known({ payload, tag }: Decoded): Read<State> {
    return Either.right({ entry: this.commands.get(tag)!, payload })
  }

  /** Whom to ask, and what; or why that can't be, as the answer. */
  private read(kind: string, entries: ReadonlyMap<string, Entry<State>>, bytes: Uint8Array): Read<State> {
    const command = Command.decode(bytes)
    if (Either.isLeft(command)) return Either.left(Answer.defect(`A ${kind}`, command.left.message))
    const { payload, tag } = command.right
    const entry = entries.get(tag)
    if (entry === undefined) {
      const reason = `${this.definition.name} has no such ${kind}`
      return Either.left(Answer.defect(tag.slice(0, MAX_UNKNOWN_TAG), reason))
    }
    const decoded = protect(() => entry.decodePayload(payload))
    return decoded === undefined || Either.isLeft(decoded)
      ? Either.left(Answer.defect(tag, "its payload doesn't fit its schema"))
      : Either.right({ entry, payload: decoded.right })
  }

  private answer(
    read: Read<State>,
    state: State,
    at: At,
    index: number,
    onSuccess: (entry: Entry<State>, value: unknown) => Uint8Array | undefined
  ): Uint8Array {
    if (Either.isLeft(read)) return read.left
    const { entry, payload } = read.right
    const { tag } = entry
    this.handlerRuntime.moveTo(at.slot, at.time, index)
    const exit = this.run(entry.handler, state, payload)
    if (typeof exit === "string") return Answer.defect(tag, Defect.unfinished[exit])
    if (Exit.isSuccess(exit)) {
      return onSuccess(entry, exit.value) ?? Answer.defect(tag, "its handler's success doesn't fit its schema")
    }
    const cause = exit.cause
    if (Cause.isFailType(cause)) {
      return encodeError(entry, cause.error) ?? Answer.defect(tag, "its handler's error doesn't fit its schema")
    }
    this.report(tag, at, cause)
    return Answer.defect(tag, Defect.ofCause(cause))
  }

  private run(handler: UntypedHandler<State>, state: State, payload: unknown) {
    try {
      return this.handlerRuntime.run(handler(state, payload))
    } catch (defect) {
      return Exit.die(defect)
    }
  }

  /** The stack trace that an answer may not carry goes to the log of the replica. */
  private report(tag: string, at: At, cause: Cause.Cause<unknown>): void {
    const { name } = this.definition
    Runtime.runSyncExit(this.app)(
      Effect.logError(`The handler of ${tag} died`, cause).pipe(Effect.annotateLogs({ machine: name, slot: at.slot }))
    )
  }
}

const encodeSuccess = (procedure: Procedure, value: unknown): Uint8Array | undefined => {
  const encoded = protect(() => procedure.encodeSuccess(value))
  return encoded === undefined || Either.isLeft(encoded)
    ? undefined
    : Either.getOrUndefined(Answer.success(encoded.right))
}

const encodeError = (procedure: Procedure, error: unknown): Uint8Array | undefined => {
  const encoded = protect(() => procedure.encodeError(error))
  return encoded === undefined || Either.isLeft(encoded)
    ? undefined
    : Either.getOrUndefined(Answer.failure(encoded.right))
}

/** Schemas hold user code, in transformations and filters, that may throw. */
const protect = <A>(thunk: () => A): A | undefined => {
  try {
    return thunk()
  } catch {
    return undefined
  }
}
