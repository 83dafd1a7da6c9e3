import { assert, describe, it } from "@effect/vitest"
import type { FromClientEncoded } from "@effect/rpc/RpcMessage"
import { Effect, Fiber, TestClock } from "effect"
import { type Connection, Frame, Message, ServerProtocol } from "../src/index.js"
import { cluster, format, request, turn } from "./fixtures.js"

/** A client that is there in name only. */
const connect = (server: ServerProtocol.ServerProtocol) => {
  const received: Array<Message.FromServer> = []
  const calls: Array<string> = []
  const decoder = Frame.makeDecoder({
    ...format,
    onFrame: (kind, value) => {
      const message = Message.decodeFromServer(kind, value)
      if (message._tag === "Left") return message.left
      received.push(message.right)
      return undefined
    }
  })
  const events: Connection.Events = server.accept({
    peer: "there:1",
    write: (bytes) => {
      calls.push("write")
      decoder.push(bytes)
      return true
    },
    end: () => void calls.push("end"),
    destroy: () => void calls.push("destroy")
  })
  return { calls, events, received }
}

/** Runs a server that notes what it is handed. */
const serve = (
  server: ServerProtocol.ServerProtocol,
  handle: (clientId: number, message: FromClientEncoded) => Effect.Effect<void> = () => Effect.void
) =>
  Effect.gen(function* () {
    const handed: Array<string> = []
    const fiber = yield* Effect.forkScoped(
      server.protocol.run((clientId, message) => {
        handed.push(message._tag === "Request" ? message.tag : message._tag)
        return handle(clientId, message)
      })
    )
    yield* turn
    return { fiber, handed }
  })

const goodbyes = (messages: ReadonlyArray<Message.FromServer>) =>
  messages.flatMap((message) => (message._tag === "Goodbye" ? [message.reason] : []))

describe("ServerProtocol", () => {
  it.scoped("keeps requests until a server runs, and hands them over in order", () =>
    Effect.gen(function* () {
      const server = yield* ServerProtocol.make({ cluster })
      const client = connect(server)
      client.events.onData(request("1", "A"))
      client.events.onData(Buffer.concat([request("2", "B"), request("3", "C")]))
      const { handed } = yield* serve(server)
      assert.deepStrictEqual(handed, ["A", "B", "C"])
    })
  )

  it.scoped("hands over in order also while a request takes its time to be begun", () =>
    Effect.gen(function* () {
      const server = yield* ServerProtocol.make({ cluster })
      const { handed } = yield* serve(server, (_, message) =>
        message._tag === "Request" && message.tag === "Slow" ? Effect.sleep("1 second") : Effect.void
      )
      const client = connect(server)
      client.events.onData(Buffer.concat([request("1", "Slow"), request("2", "B")]))
      client.events.onData(request("3", "C"))
      yield* turn
      assert.deepStrictEqual(handed, ["Slow"])
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(handed, ["Slow", "B", "C"])
    })
  )

  it.scoped("answers pings, and sends the replies of one turn in one write", () =>
    Effect.gen(function* () {
      const server = yield* ServerProtocol.make({ cluster })
      yield* serve(server, (clientId, message) =>
        message._tag === "Request"
          ? server.protocol.send(clientId, {
              _tag: "Exit",
              requestId: message.id,
              exit: { _tag: "Success", value: message.tag }
            })
          : Effect.void
      )
      const client = connect(server)
      const ping = Message.encodeFromClient(format, { _tag: "Ping" })
      client.events.onData(Buffer.concat([request("1", "A"), request("2", "B"), ping]))
      client.events.onData(request("3", "C"))
      yield* turn
      assert.deepStrictEqual(client.calls, ["write"])
      assert.deepStrictEqual(client.received.map((message) => message._tag).sort(), ["Exit", "Exit", "Exit", "Pong"])
    })
  )

  it.scoped("cuts off a client whose requests pile up", () =>
    Effect.gen(function* () {
      const server = yield* ServerProtocol.make({ cluster, maxQueuedBytes: 10_000 })
      const client = connect(server)
      for (let i = 0; i < 9; i++) client.events.onData(request(String(i), "A", new Uint8Array(1000)))
      assert.deepStrictEqual(client.received, [])
      for (let i = 0; i < 2; i++) client.events.onData(request(String(i), "A", new Uint8Array(1000)))
      assert.deepStrictEqual(goodbyes(client.received), ["Overrun"])
      assert.deepStrictEqual(client.calls, ["write", "end"])
      const { handed } = yield* serve(server)
      assert.deepStrictEqual(handed, [])
    })
  )

  it.scoped("closes the connection of a client that is silent, and tears it down if it doesn't go", () =>
    Effect.gen(function* () {
      const server = yield* ServerProtocol.make({ cluster, idleTimeout: "1 minute", linger: "1 second" })
      const { handed } = yield* serve(server)
      const silent = connect(server)
      const alive = connect(server)
      for (let i = 0; i < 4; i++) {
        yield* TestClock.adjust("14 seconds")
        alive.events.onData(Message.encodeFromClient(format, { _tag: "Ping" }))
      }
      assert.deepStrictEqual(goodbyes(silent.received), [])
      yield* TestClock.adjust("4 seconds")
      assert.deepStrictEqual(goodbyes(silent.received), ["Idle"])
      assert.deepStrictEqual(goodbyes(alive.received), [])
      assert.deepStrictEqual(silent.calls, ["write", "end"])
      assert.strictEqual(yield* server.protocol.disconnects.take, 0)
      silent.events.onData(request("1", "Late"))
      assert.deepStrictEqual(handed, [])
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(silent.calls, ["write", "end", "destroy"])
    })
  )

  it.scoped("tells every client when its server stops, before its handlers are interrupted", () =>
    Effect.gen(function* () {
      const server = yield* ServerProtocol.make({ cluster })
      const { fiber } = yield* serve(server)
      const clients = [connect(server), connect(server)]
      yield* Fiber.interrupt(fiber)
      // What a server says of the handlers that it interrupts.
      for (const clientId of [0, 1]) {
        yield* server.protocol.send(clientId, { _tag: "Exit", requestId: "1", exit: { _tag: "Success", value: 1 } })
      }
      yield* turn
      for (const client of clients) {
        assert.deepStrictEqual(goodbyes(client.received), ["Closing"])
        assert.strictEqual(client.received.length, 1)
        assert.deepStrictEqual(client.calls, ["write", "end"])
      }
      assert.strictEqual((yield* server.protocol.clientIds).size, 0)
    })
  )
})
