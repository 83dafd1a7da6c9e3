import { assert, describe, it } from "@effect/vitest"
import type * as RpcClient from "@effect/rpc/RpcClient"
import type { RpcClientError } from "@effect/rpc/RpcClientError"
import type { FromClientEncoded, FromServerEncoded } from "@effect/rpc/RpcMessage"
import { Clock, Effect, Fiber, type Scope, TestClock } from "effect"
import { ClientProtocol, type Connection, Disconnected, Frame, Message } from "../src/index.js"
import { cluster, format, turn } from "./fixtures.js"

/** A server of which the test decides what it does, at times that the test decides. */
class World {
  /** When each attempt to connect was made, in milliseconds. */
  readonly attempts: Array<number> = []
  /** The client's messages on the latest connection. */
  sent: Array<string> = []
  /** How often the client wrote on the latest connection. */
  writes = 0
  /** Whether the latest connection takes more after a write. */
  flows = true
  private events: Connection.Events | undefined

  /** @param meets what a new connection meets: an answer to its pings, silence, or nobody */
  constructor(public meets: "answer" | "silence" | "nobody") {}

  readonly connect: ClientProtocol.Connect = (events) =>
    Effect.gen(this, function* () {
      this.attempts.push(yield* Clock.currentTimeMillis)
      if (this.meets === "nobody") return yield* Effect.fail({ message: "nobody is there." })
      this.events = events
      this.sent = []
      this.writes = 0
      const decoder = Frame.makeDecoder({
        ...format,
        onFrame: (kind, value) => {
          const message = Message.decodeFromClient(kind, value)
          if (message._tag === "Left") return message.left
          this.sent.push(message.right._tag === "Request" ? message.right.tag : message.right._tag)
          if (message.right._tag === "Ping" && this.meets === "answer") this.say({ _tag: "Pong" })
          return undefined
        }
      })
      return {
        peer: "there:1",
        write: (bytes) => {
          this.writes++
          decoder.push(bytes)
          return this.flows
        },
        end: () => undefined,
        destroy: () => undefined
      }
    })

  say(...messages: ReadonlyArray<Message.FromServer>): void {
    this.events?.onData(Buffer.concat(messages.map((message) => Message.encodeFromServer(format, message))))
  }
  sayBytes(bytes: Uint8Array): void {
    this.events?.onData(bytes)
  }
  drain(): void {
    this.events?.onDrain()
  }
  hangUp(): void {
    this.events?.onClose(undefined)
  }
}

const makeProtocol = (
  world: World,
  options?: Partial<ClientProtocol.Options>
): Effect.Effect<RpcClient.Protocol["Type"], never, Scope.Scope> =>
  ClientProtocol.make({ cluster, server: "there:1", ...options, connect: world.connect })

/** What the protocol hands over, as `RpcClient` would see it. */
const handedOver = (protocol: RpcClient.Protocol["Type"]) =>
  Effect.gen(function* () {
    const messages: Array<FromServerEncoded> = []
    yield* Effect.forkScoped(protocol.run((message) => Effect.sync(() => void messages.push(message))))
    yield* turn
    return messages
  })

const request = (tag: string, payload?: unknown): FromClientEncoded => ({
  _tag: "Request",
  id: "1",
  tag,
  payload,
  headers: []
})

const reasonOf = (error: RpcClientError) => {
  assert.instanceOf(error.cause, Disconnected.Disconnected)
  return error.cause.reason
}

/** Lets time pass in steps, with a turn of the real event loop after each. */
const pass = (millis: number, step = 5) =>
  Effect.gen(function* () {
    for (let passed = 0; passed < millis; passed += step) {
      yield* TestClock.adjust(step)
      yield* turn
    }
  })

describe("ClientProtocol", () => {
  it.scoped("tries again after 10, 20, 40 and then every 80 milliseconds, and after 10 once it was connected", () =>
    Effect.gen(function* () {
      const world = new World("nobody")
      yield* makeProtocol(world)
      yield* pass(400)
      assert.deepStrictEqual(world.attempts, [0, 10, 30, 70, 150, 230, 310, 390])
      world.meets = "answer"
      yield* pass(80)
      assert.deepStrictEqual(world.attempts.slice(8), [470])
      world.hangUp()
      world.meets = "nobody"
      yield* pass(40)
      assert.deepStrictEqual(world.attempts.slice(9), [490, 510])
    })
  )

  it.scoped("takes a server for connected only once it has answered", () =>
    Effect.gen(function* () {
      const world = new World("silence")
      const making = yield* Effect.fork(makeProtocol(world))
      yield* turn
      assert.deepStrictEqual(world.sent, ["Ping"])
      yield* pass(1000, 50)
      const protocol = yield* Fiber.join(making)
      const sending = yield* Effect.fork(Effect.flip(protocol.send(request("A"))))
      yield* pass(5)
      const error = yield* Fiber.join(sending)
      assert.strictEqual(reasonOf(error), "Silent")
      assert.strictEqual(error.message, "There is no connection to there:1: no answer within 1s.")
    })
  )

  it.scoped("pings a server that has been silent for half of the keep-alive, and gives it up after all of it", () =>
    Effect.gen(function* () {
      const world = new World("answer")
      const protocol = yield* makeProtocol(world, { keepAlive: "4 seconds" })
      const messages = yield* handedOver(protocol)
      yield* pass(8000, 500)
      assert.deepStrictEqual(world.sent, ["Ping", "Ping", "Ping", "Ping", "Ping"])
      assert.strictEqual(world.attempts.length, 1)
      world.meets = "silence"
      yield* pass(3500, 500)
      assert.deepStrictEqual(messages, [])
      yield* pass(500, 500)
      assert.strictEqual(messages.length, 1)
      assert.strictEqual(messages[0]?._tag === "ClientProtocolError" ? reasonOf(messages[0].error) : "none", "Silent")
    })
  )

  it.scoped("hands over what came before the end, then the end, and fails what is sent after it", () =>
    Effect.gen(function* () {
      const world = new World("answer")
      const protocol = yield* makeProtocol(world)
      const messages = yield* handedOver(protocol)
      const exit: FromServerEncoded = { _tag: "Exit", requestId: "1", exit: { _tag: "Success", value: 5 } }
      world.meets = "nobody"
      world.say(exit, { _tag: "Goodbye", reason: "NotReading", message: "Too slow." }, exit)
      const sending = yield* Effect.fork(Effect.flip(protocol.send(request("A"))))
      yield* turn
      assert.deepStrictEqual(
        messages.map((message) => message._tag),
        ["Exit", "Exit", "ClientProtocolError"]
      )
      const error = yield* Fiber.join(sending)
      assert.strictEqual(reasonOf(error), "NotReading")
      assert.isFalse(Disconnected.mayHaveArrived(error))
      assert.isTrue(messages[2]?._tag === "ClientProtocolError" && Disconnected.mayHaveArrived(messages[2].error))
      yield* pass(10)
      assert.isTrue(messages[3]?._tag === "ClientProtocolError" && !Disconnected.mayHaveArrived(messages[3].error))
      assert.strictEqual(error.message, "There is no connection to there:1: the server closed it: Too slow.")
      assert.deepStrictEqual(world.sent, ["Ping"])
    })
  )

  it.scoped("waits long after a refusal for good", () =>
    Effect.gen(function* () {
      const world = new World("silence")
      yield* Effect.fork(makeProtocol(world))
      yield* turn
      world.sayBytes(
        Message.encodeFromServer({ ...format, cluster: 1 }, { _tag: "Goodbye", reason: "OtherCluster", message: "No." })
      )
      yield* pass(990, 10)
      assert.deepStrictEqual(world.attempts, [0])
      yield* pass(10)
      assert.deepStrictEqual(world.attempts, [0, 1000])
    })
  )

  it.scoped("leaves a server that sends what can't be read", () =>
    Effect.gen(function* () {
      const world = new World("answer")
      const protocol = yield* makeProtocol(world)
      const messages = yield* handedOver(protocol)
      world.sayBytes(new Uint8Array(Frame.headerBytes))
      yield* turn
      assert.strictEqual(
        messages[0]?._tag === "ClientProtocolError" ? reasonOf(messages[0].error) : "none",
        "OtherVersion"
      )
    })
  )

  it.scoped("sends the requests of one turn in one write, and many in a few", () =>
    Effect.gen(function* () {
      const world = new World("answer")
      const protocol = yield* makeProtocol(world)
      for (let i = 0; i < 10; i++) yield* protocol.send(request("A"))
      yield* turn
      assert.strictEqual(world.sent.length, 11)
      assert.strictEqual(world.writes, 2)
      for (let i = 0; i < 40; i++) yield* protocol.send(request("B"))
      yield* turn
      assert.strictEqual(world.sent.length, 51)
      assert.strictEqual(world.writes, 5)
    })
  )

  it.scoped("holds back while the connection takes no more, up to a bound", () =>
    Effect.gen(function* () {
      const world = new World("answer")
      const protocol = yield* makeProtocol(world, { maxQueuedBytes: 10_000 })
      world.flows = false
      yield* protocol.send(request("A"))
      yield* turn
      for (let i = 0; i < 9; i++) yield* protocol.send(request("B", new Uint8Array(1000)))
      const error = yield* Effect.flip(protocol.send(request("C", new Uint8Array(1000))))
      assert.strictEqual(error.message, "A request to there:1 can't be sent: 10000 bytes wait to be sent.")
      assert.isFalse(Disconnected.mayHaveArrived(error))
      yield* turn
      assert.deepStrictEqual(world.sent, ["Ping", "A"])
      world.flows = true
      world.drain()
      assert.strictEqual(world.writes, 3)
      assert.strictEqual(world.sent.length, 11)
    })
  )
})
