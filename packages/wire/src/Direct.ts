/**
 * Requests that plain functions make and answer, over the protocols of `@effect/rpc`: for the few that each command costs.
 * `RpcClient` and `RpcServer` take two fibers at one end and one at the other for a request, and a schema's whole machinery for
 * each message; that is ten times what all else takes that happens to it. Here is none of it.
 *
 * ```
 *   ask(tag, payload, answer) ─► Request ─► handler(payload, answer)
 *                     answer ◄── Exit ◄──── answer(exit)
 * ```
 *
 * On the wire it is the same, and the other end of either may be that of `@effect/rpc`, with which it shares its connection. A
 * request is not interrupted at the server when it is forgotten at the client.
 *
 * @since 0.1.0
 */
import type * as Rpc from "@effect/rpc/Rpc"
import * as RpcClient from "@effect/rpc/RpcClient"
import type { RpcClientError } from "@effect/rpc/RpcClientError"
import type * as RpcGroup from "@effect/rpc/RpcGroup"
import type { FromClientEncoded, FromServerEncoded } from "@effect/rpc/RpcMessage"
import type * as RpcServer from "@effect/rpc/RpcServer"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as FiberSet from "effect/FiberSet"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"

/**
 * What a client's protocol may offer besides: to send at once, without a fiber. The error says why it was not sent.
 *
 * @since 0.1.0
 * @category models
 */
export interface Sending {
  readonly sendNow: (request: FromClientEncoded) => RpcClientError | undefined
}

/**
 * What a server's protocol may offer besides: to answer at once, without a fiber.
 *
 * @since 0.1.0
 * @category models
 */
export interface Answering {
  readonly sendNow: (clientId: number, response: FromServerEncoded) => void
}

/**
 * How a request ended: with the success or error of its `Rpc`, without an answer, or with a defect at either end.
 *
 * @since 0.1.0
 * @category models
 */
export type Outcome<R extends Rpc.Any> = Exit.Exit<Rpc.Success<R>, Rpc.Error<R> | RpcClientError>

/**
 * Sends a request. `answer` is called once, perhaps at once, unless the request is forgotten before by what comes back.
 *
 * @since 0.1.0
 * @category models
 */
export type Ask<Rpcs extends Rpc.Any> = <const Tag extends Rpcs["_tag"]>(
  tag: Tag,
  payload: Rpc.Payload<Extract<Rpcs, { readonly _tag: Tag }>>,
  answer: (outcome: Outcome<Extract<Rpcs, { readonly _tag: Tag }>>) => void
) => () => void

/**
 * A function for each request; `answer` is called once, now or later.
 *
 * @since 0.1.0
 * @category models
 */
export type Handlers<Rpcs extends Rpc.Any> = {
  readonly [R in Rpcs as R["_tag"]]: (
    payload: Rpc.Payload<R>,
    answer: (outcome: Exit.Exit<Rpc.Success<R>, Rpc.Error<R>>) => void
  ) => void
}

/**
 * The client's end, for requests of the group with one reply each, on whichever protocol the environment has.
 *
 * @since 0.1.0
 * @category constructors
 */
export const client = <Rpcs extends Rpc.Any>(
  group: RpcGroup.RpcGroup<Rpcs>
): Effect.Effect<Ask<Rpcs>, never, RpcClient.Protocol | Scope.Scope> =>
  Effect.gen(function* () {
    const protocol: RpcClient.Protocol["Type"] & Partial<Sending> = yield* RpcClient.Protocol
    const runFork = yield* FiberSet.makeRuntime()
    const codecs = codecsOf(group)
    const waiting = new Map<string, { readonly codec: Codec; readonly answer: (outcome: Outcome<any>) => void }>()
    const ids = idsOf(protocol)

    const end = (id: string, outcome: Outcome<any>): void => {
      const answer = waiting.get(id)?.answer
      waiting.delete(id)
      answer?.(outcome)
    }
    const endAll = (outcome: Outcome<any>): void => {
      for (const id of Array.from(waiting.keys())) end(id, outcome)
    }

    const receive = (message: FromServerEncoded): void => {
      if (message._tag === "ClientProtocolError") return endAll(Exit.fail(message.error))
      if (message._tag === "Defect") return endAll(Exit.die(message.defect))
      if (message._tag !== "Exit") return
      const codec = waiting.get(message.requestId)?.codec
      if (codec !== undefined) end(message.requestId, outcomeOf(codec, message.exit))
    }

    const send: Sending["sendNow"] =
      protocol.sendNow ??
      ((request) => {
        runFork(protocol.send(request)).addObserver((exit) => {
          if (exit._tag === "Failure" && request._tag === "Request") end(request.id, exit)
        })
        return undefined
      })

    const run = protocol.run((message) => {
      receive(message)
      return Effect.void
    })
    yield* Effect.forkScoped(Effect.interruptible(run))

    return (tag, payload, answer) => {
      const codec = codecs.get(tag)!
      const id = String(ids.next++)
      const encoded = codec.encodePayload(payload)
      if (Either.isLeft(encoded)) {
        answer(Exit.die(ParseResult.parseError(encoded.left)))
        return forgotten
      }
      waiting.set(id, { codec, answer })
      const error = send({ _tag: "Request", id, tag, payload: encoded.right, headers: [] })
      if (error !== undefined) end(id, Exit.fail(error))
      return () => void waiting.delete(id)
    }
  })

/**
 * The protocol as it is left for an `RpcServer`, once these requests are taken out.
 *
 * @since 0.1.0
 * @category constructors
 */
export const serve = <Rpcs extends Rpc.Any>(
  protocol: RpcServer.Protocol["Type"] & Partial<Answering>,
  group: RpcGroup.RpcGroup<Rpcs>,
  handlers: Handlers<Rpcs>
): Effect.Effect<RpcServer.Protocol["Type"], never, Scope.Scope> =>
  Effect.map(FiberSet.makeRuntime(), (runFork) => {
    const codecs = codecsOf(group)
    const handlerOf = new Map<
      string,
      (payload: unknown, answer: (outcome: Exit.Exit<unknown, unknown>) => void) => void
    >(Object.entries(handlers))
    const send: Answering["sendNow"] =
      protocol.sendNow ?? ((clientId, response) => void runFork(protocol.send(clientId, response)))

    const handle = (
      clientId: number,
      { id, payload, tag }: Extract<FromClientEncoded, { readonly _tag: "Request" }>
    ): void => {
      const codec = codecs.get(tag)!
      const answer = (exit: Exit.Exit<unknown, unknown>): void =>
        send(clientId, { _tag: "Exit", requestId: id, exit: encodedOf(codec, exit) })
      const decoded = codec.decodePayload(payload)
      if (Either.isLeft(decoded)) return answer(Exit.die(ParseResult.parseError(decoded.left).message))
      try {
        handlerOf.get(tag)!(decoded.right, answer)
      } catch (defect) {
        answer(Exit.die(String(defect)))
      }
    }

    return {
      ...protocol,
      run: (write) =>
        protocol.run((clientId, message) => {
          if (message._tag !== "Request" || !codecs.has(message.tag)) return write(clientId, message)
          handle(clientId, message)
          return Effect.void
        })
    }
  })

/** The requests of an `RpcClient` on the same protocol are numbered from 0 on, and never come so far. */
const firstId = 2 ** 52

/** Clients on one protocol share its connection, and each hears all answers: no two requests on it have the same number. */
const idsOf = (protocol: RpcClient.Protocol["Type"]): { next: number } => {
  const ids = numbers.get(protocol) ?? { next: firstId }
  numbers.set(protocol, ids)
  return ids
}

const numbers = new WeakMap<RpcClient.Protocol["Type"], { next: number }>()

const forgotten = (): void => undefined

type Encoded = Extract<FromServerEncoded, { readonly _tag: "Exit" }>["exit"]

/** The codecs of one `Rpc`, made once, and run without an effect since their schemas need no services. */
interface Codec {
  readonly encodePayload: Convert
  readonly decodePayload: Convert
  readonly encodeSuccess: Convert
  readonly decodeSuccess: Convert
  readonly encodeError: Convert
  readonly decodeError: Convert
}

type Convert = (input: unknown) => Either.Either<unknown, ParseResult.ParseIssue>

const codecsOf = <Rpcs extends Rpc.Any>(group: RpcGroup.RpcGroup<Rpcs>): ReadonlyMap<string, Codec> =>
  new Map(
    Array.from(group.requests.values(), (any) => {
      const rpc = any as unknown as Rpc.AnyWithProps
      const payload = untyped(rpc.payloadSchema)
      const success = untyped(rpc.successSchema)
      const error = untyped(rpc.errorSchema)
      const codec: Codec = {
        encodePayload: ParseResult.encodeUnknownEither(payload),
        decodePayload: ParseResult.decodeUnknownEither(payload),
        encodeSuccess: ParseResult.encodeUnknownEither(success),
        decodeSuccess: ParseResult.decodeUnknownEither(success),
        encodeError: ParseResult.encodeUnknownEither(error),
        decodeError: ParseResult.decodeUnknownEither(error)
      }
      return [rpc._tag, codec]
    })
  )

const untyped = (schema: Schema.Schema.All): Schema.Schema<unknown, unknown> => Schema.make(schema.ast)

const outcomeOf = (codec: Codec, exit: Encoded): Exit.Exit<unknown, unknown> => {
  if (exit._tag === "Success") {
    const value = codec.decodeSuccess(exit.value)
    return Either.isRight(value) ? Exit.succeed(value.right) : Exit.die(ParseResult.parseError(value.left))
  }
  if (exit.cause._tag !== "Fail") return Exit.die(exit.cause._tag === "Die" ? exit.cause.defect : exit.cause._tag)
  const error = codec.decodeError(exit.cause.error)
  return Either.isRight(error) ? Exit.fail(error.right) : Exit.die(ParseResult.parseError(error.left))
}

const encodedOf = (codec: Codec, exit: Exit.Exit<unknown, unknown>): Encoded => {
  const die = (defect: unknown): Encoded => ({ _tag: "Failure", cause: { _tag: "Die", defect } })
  if (exit._tag === "Success") {
    const value = codec.encodeSuccess(exit.value)
    return Either.isRight(value)
      ? { _tag: "Success", value: value.right }
      : die(ParseResult.parseError(value.left).message)
  }
  const { cause } = exit
  if (cause._tag !== "Fail") return die(cause._tag === "Die" ? String(cause.defect) : cause._tag)
  const error = codec.encodeError(cause.error)
  return Either.isRight(error)
    ? { _tag: "Failure", cause: { _tag: "Fail", error: error.right } }
    : die(ParseResult.parseError(error.left).message)
}
