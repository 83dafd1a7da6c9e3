import { assert, describe, it } from "@effect/vitest"
import type { FromClientEncoded } from "@effect/rpc/RpcMessage"
import { Either, Option, type Schema } from "effect"
import { Frame, Message } from "../src/index.js"
import { format } from "./fixtures.js"

const read = <A>(bytes: Uint8Array, decode: (kind: number, value: unknown) => Either.Either<A, Frame.FrameReason>) => {
  let read: Either.Either<A, Frame.FrameReason> | undefined
  const decoder = Frame.makeDecoder({
    ...format,
    onFrame: (kind, value) => {
      read = decode(kind, value)
      return undefined
    }
  })
  assert.deepStrictEqual(decoder.push(bytes), Option.none())
  return read
}

const fromClient: ReadonlyArray<FromClientEncoded> = [
  { _tag: "Request", id: "0", tag: "Put", payload: { key: "a", bytes: Uint8Array.of(1, 2) }, headers: [] },
  { _tag: "Request", id: "9007199254740992", tag: "Get", payload: undefined, headers: [["a", "b"]] },
  {
    _tag: "Request",
    id: "18446744073709551615",
    tag: "Get",
    payload: null,
    headers: [],
    traceId: "t",
    spanId: "s",
    sampled: false
  },
  { _tag: "Ack", requestId: "1" },
  { _tag: "Interrupt", requestId: "2" },
  { _tag: "Ping" },
  { _tag: "Eof" }
]

const fromServer: ReadonlyArray<Message.FromServer> = [
  { _tag: "Chunk", requestId: "1", values: [1, "two"] },
  { _tag: "Exit", requestId: "2", exit: { _tag: "Success", value: undefined } },
  { _tag: "Exit", requestId: "2", exit: { _tag: "Success", value: { a: [1] } } },
  { _tag: "Exit", requestId: "3", exit: { _tag: "Failure", cause: { _tag: "Fail", error: { _tag: "NotFound" } } } },
  { _tag: "Defect", defect: { name: "Error", message: "no" } },
  { _tag: "Pong" },
  { _tag: "Goodbye", reason: "OtherCluster", message: "Not here." }
]

describe("Message", () => {
  for (const message of fromClient) {
    it(`reads what it wrote: ${message._tag} of a client`, () => {
      assert.deepStrictEqual(
        read(Message.encodeFromClient(format, message), Message.decodeFromClient),
        Either.right(message)
      )
    })
  }

  for (const message of fromServer) {
    it(`reads what it wrote: ${message._tag} of a server`, () => {
      assert.deepStrictEqual(
        read(Message.encodeFromServer(format, message), Message.decodeFromServer),
        Either.right(message)
      )
    })
  }

  it("tells nobody which fibers were interrupted", () => {
    const interrupt = (id: number) =>
      ({ _tag: "Interrupt", fiberId: { _tag: "Runtime", id, startTimeMillis: id } }) as const
    const failed = (cause: Schema.CauseEncoded<unknown, unknown>) =>
      ({ _tag: "Exit", requestId: "1", exit: { _tag: "Failure", cause } }) as const
    const nobody = { _tag: "Interrupt", fiberId: { _tag: "None" } } as const
    const told = (cause: Schema.CauseEncoded<unknown, unknown>) =>
      read(Message.encodeFromServer(format, failed(cause)), Message.decodeFromServer)
    assert.deepStrictEqual(
      told({
        _tag: "Sequential",
        left: { _tag: "Parallel", left: { _tag: "Empty" }, right: interrupt(1) },
        right: { _tag: "Sequential", left: interrupt(2), right: interrupt(100_000) }
      }),
      Either.right(failed(nobody))
    )
    const error = { _tag: "Fail", error: { _tag: "NotFound" } } as const
    assert.deepStrictEqual(
      told({ _tag: "Sequential", left: error, right: interrupt(3) }),
      Either.right(failed({ _tag: "Sequential", left: error, right: nobody }))
    )
  })

  it("refuses what isn't shaped as its kind", () => {
    const { Ack, Chunk, Defect, Exit, Goodbye, Interrupt, Request } = Message.kinds
    const client: ReadonlyArray<readonly [kind: number, value: unknown]> = [
      [Request, undefined],
      [Request, [1, "Put", null]],
      [Request, [-1, "Put", null, []]],
      [Request, [1.5, "Put", null, []]],
      [Request, [1, 2, null, []]],
      [Request, [1, "Put", null, {}]],
      [Request, [1, "Put", null, [["a", 1]]]],
      [Request, [1, "Put", null, [], "t", "s", "yes"]],
      [Ack, "x"],
      [Interrupt, [1]],
      [Exit, [1, true, null]],
      [0x7f, undefined]
    ]
    for (const [kind, value] of client) {
      const read = Message.decodeFromClient(kind, value)
      assert.strictEqual(Either.isLeft(read) && read.left._tag, "Malformed", JSON.stringify([kind, value]))
    }
    const server: ReadonlyArray<readonly [kind: number, value: unknown]> = [
      [Chunk, [1]],
      [Chunk, [1, []]],
      [Exit, [1, 1, null]],
      [Exit, [1, false, "no cause"]],
      [Exit, ["1", true, null]],
      [Defect, undefined],
      [Goodbye, ["NoSuchReason", "Bye."]],
      [Goodbye, undefined],
      [Request, [1, "Put", null, []]]
    ]
    for (const [kind, value] of server) {
      const read = Message.decodeFromServer(kind, value)
      assert.strictEqual(Either.isLeft(read) && read.left._tag, "Malformed", JSON.stringify([kind, value]))
    }
  })
})
