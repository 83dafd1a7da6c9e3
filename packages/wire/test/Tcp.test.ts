import { assert, describe, it } from "@effect/vitest"
import * as RpcClient from "@effect/rpc/RpcClient"
import type { RpcClientError } from "@effect/rpc/RpcClientError"
import { Cause, Duration, Effect, Either, Exit, Fiber, Option, Scope, Stream } from "effect"
import * as Net from "node:net"
import { Disconnected, Frame, Message, RpcOptions, Tcp } from "../src/index.js"
import { clientOf, cluster, connectRaw, format, request, Rpcs, startServer, until } from "./fixtures.js"

const disconnectedOf = (error: RpcClientError): Disconnected.Disconnected => {
  assert.instanceOf(error.cause, Disconnected.Disconnected)
  return error.cause
}

describe("Tcp", () => {
  it.scopedLive("carries small and large messages both ways", () =>
    Effect.gen(function* () {
      const client = yield* clientOf(yield* startServer())
      for (const size of [0, 1, 20_000, Frame.defaultMaxBytes - 100]) {
        const bytes = new Uint8Array(size).map((_, i) => i * 31)
        const echoed = yield* client.Echo({ bytes })
        assert.isTrue(Buffer.from(bytes).equals(echoed), `${size} bytes`)
      }
    })
  )

  it.scopedLive("hands requests over in the order they were sent", () =>
    Effect.gen(function* () {
      const server = yield* startServer()
      const client = yield* clientOf(server)
      const numbers = Array.from({ length: 2000 }, (_, i) => i)
      yield* Effect.forEach(numbers, (number) => client.Note({ number, padding: new Uint8Array(number % 300) }), {
        concurrency: "unbounded",
        discard: true
      })
      assert.deepStrictEqual(server.seen.notes, numbers)
    })
  )

  it.scopedLive("hears each connection in turn, however much comes by one of them", () =>
    Effect.gen(function* () {
      const server = yield* startServer()
      const [flooding, quiet] = yield* Effect.all([connectRaw(server), connectRaw(server)])
      const note = (id: number) => request(String(id), "Note", { number: id, padding: new Uint8Array(1000) })
      const flood = Buffer.concat(Array.from({ length: 1500 }, (_, i) => note(i)))
      flooding.socket.write(flood)
      quiet.socket.write(note(5000))
      yield* until("the quiet one was heard", () => server.seen.notes.includes(5000))
      assert.isBelow(server.seen.notes.indexOf(5000), 128)
    })
  )

  it.scopedLive("fails a request that is too long for a frame, and no other", () =>
    Effect.gen(function* () {
      const server = yield* startServer()
      const client = yield* clientOf(server)
      const other = yield* Effect.fork(client.Never())
      yield* until("the other request is there", () => server.seen.nevers === 1)
      const error = yield* Effect.flip(client.Echo({ bytes: new Uint8Array(Frame.defaultMaxBytes) }))
      assert.match(error.message, /^A request to 127.0.0.1:\d+ can't be sent: The frame has a body of \d+ bytes/)
      yield* client.Echo({ bytes: new Uint8Array(1) })
      assert.deepStrictEqual(yield* Fiber.poll(other), Option.none())
      assert.deepStrictEqual(server.logged, [])
    })
  )

  it.scopedLive("fails a request whose reply is too long for a frame, and no other", () =>
    Effect.gen(function* () {
      const server = yield* startServer()
      const client = yield* clientOf(server)
      const cause = yield* Effect.sandbox(Effect.flip(Effect.sandbox(client.Large({ bytes: Frame.defaultMaxBytes }))))
      assert.match(String(Cause.squash(cause)), /The reply can't be sent: The frame has a body of \d+ bytes/)
      yield* client.Echo({ bytes: new Uint8Array(1) })

      const stream = yield* Effect.exit(Stream.runDrain(client.LargeChunk()))
      assert.isTrue(Exit.isFailure(stream))
      yield* until("the handler of the stream has ended", () => server.seen.largeChunkEnded)
    })
  )

  it.scopedLive("keeps a defect of one request from the others", () =>
    Effect.gen(function* () {
      const server = yield* startServer()
      const client = yield* clientOf(server)
      const other = yield* Effect.fork(client.Never())
      yield* until("the other request is there", () => server.seen.nevers === 1)
      const died = yield* Effect.exit(client.Die())
      const threw = yield* Effect.exit(client.Throw())
      assert.match(String(Cause.squash(causeOf(died))), /the handler died/)
      assert.match(String(Cause.squash(causeOf(threw))), /the handler threw/)
      const raw = yield* connectRaw(server)
      yield* raw.send(request("7", "Never"), request("8", "Unheard"))
      yield* until("the raw client has an answer", () => raw.received.length === 1)
      assert.deepStrictEqual(raw.received, [
        {
          _tag: "Exit",
          requestId: "8",
          exit: { _tag: "Failure", cause: { _tag: "Die", defect: "Unknown request tag: Unheard" } }
        }
      ])
      assert.strictEqual(server.seen.nevers, 2)
      assert.deepStrictEqual(yield* Fiber.poll(other), Option.none())
    })
  )

  it.scopedLive("streams, and keeps a slow reader from delaying others", () =>
    Effect.gen(function* () {
      const client = yield* clientOf(yield* startServer())
      assert.deepStrictEqual(
        Array.from(yield* Stream.runCollect(client.Count({ to: 100 }))),
        Array.from({ length: 100 }, (_, i) => i + 1)
      )
      // Nobody takes from this one, so that its buffer of one element is full at once.
      const slow = yield* client.Count({ to: 100 }, { asMailbox: true, streamBufferSize: 1 })
      for (let i = 0; i < 20; i++) yield* client.Echo({ bytes: new Uint8Array(10) })
      assert.strictEqual(yield* slow.take, 1)
    })
  )

  it.scopedLive("shares a connection among clients", () =>
    Effect.gen(function* () {
      const server = yield* startServer()
      const protocol = yield* Tcp.clientProtocol({ host: server.host, port: server.port, cluster })
      const make = Effect.provideService(RpcClient.make(Rpcs, RpcOptions.client), RpcClient.Protocol, protocol)
      const one = yield* make
      const other = yield* make
      const echoes = yield* Effect.all(
        [1, 2].map((byte) =>
          Effect.zip(one.Echo({ bytes: Uint8Array.of(byte) }), other.Echo({ bytes: Uint8Array.of(byte + 10) }), {
            concurrent: true
          })
        )
      )
      assert.deepStrictEqual(
        echoes.flat().map((bytes) => bytes[0]),
        [1, 11, 2, 12]
      )
    })
  )

  describe("closes a connection with a reason, logs it once and harms nobody else, on", () => {
    const later = Uint8Array.from(request("1", "Never"))
    later[12] = 9
    const flipped = Uint8Array.from(request("1", "Never"))
    flipped[20]! ^= 1
    const cases: ReadonlyArray<[name: string, bytes: Uint8Array, reason: Message.GoodbyeReason, sentence: RegExp]> = [
      ["bytes that are no frame", Buffer.from("GET / HTTP/1.1\r\n\r\n"), "TooLong", /body of 1195725856 bytes/],
      [
        "a frame that is too long",
        Frame.encode({ ...format, kind: 1, maxBytes: 1e9 }, new Uint8Array(2e6)),
        "TooLong",
        /body of 2000005 bytes, and 1048576/
      ],
      ["a wrong checksum", flipped, "BadChecksum", /checksum/],
      [
        "another cluster",
        Message.encodeFromClient({ ...format, cluster: 1 }, { _tag: "Ping" }),
        "OtherCluster",
        /another cluster/
      ],
      ["another version", later, "OtherVersion", /version 9, and version 1 is expected/],
      [
        "a request without a tag",
        Frame.encode({ ...format, kind: Message.kinds.Request }, [1]),
        "Malformed",
        /a Request needs/
      ],
      [
        "a message of a server",
        Message.encodeFromServer(format, { _tag: "Pong" }),
        "Malformed",
        /kind 132 is no message of a client/
      ]
    ]
    for (const [name, bytes, reason, sentence] of cases) {
      it.scopedLive(name, () =>
        Effect.gen(function* () {
          const server = yield* startServer()
          const client = yield* clientOf(server)
          const other = yield* Effect.fork(client.Never())
          yield* until("the other request is there", () => server.seen.nevers === 1)

          const raw = yield* connectRaw(server)
          const address = raw.socket.address() as Net.AddressInfo
          yield* raw.send(request("1", "Never"))
          yield* until("the request is there", () => server.seen.nevers === 2)
          yield* raw.send(bytes, request("2", "Never"))
          const last = yield* raw.closed
          assert.strictEqual(last?._tag, "Goodbye")
          if (last?._tag === "Goodbye") {
            assert.strictEqual(last.reason, reason)
            assert.match(last.message, sentence)
          }
          // What it had asked is given up.
          yield* until("the request has ended", () => server.seen.nevers === 1)
          assert.strictEqual(server.logged.length, 1)
          assert.match(server.logged[0]!, sentence)
          assert.include(server.logged[0]!, `Closed the connection of 127.0.0.1:${address.port}: `)

          assert.deepStrictEqual(yield* Fiber.poll(other), Option.none())
          yield* client.Echo({ bytes: new Uint8Array(1) })
        })
      )
    }
  })

  it.scopedLive("tells a client of another cluster so, and doesn't press it", () =>
    Effect.gen(function* () {
      const server = yield* startServer()
      const client = yield* clientOf(server, { cluster: "other" })
      const error = yield* Effect.flip(client.Echo({ bytes: new Uint8Array(1) }))
      const cause = disconnectedOf(error as RpcClientError)
      assert.strictEqual(cause.reason, "OtherCluster")
      assert.strictEqual(
        cause.message,
        `There is no connection to 127.0.0.1:${server.port}: the server closed it: The frame belongs to another cluster.`
      )
      assert.match(server.logged[0]!, /^Closed the connection of .*: The frame belongs to another cluster.$/)
      assert.deepStrictEqual(server.logged.slice(1), [cause.message])
    })
  )

  it.scopedLive("cuts off a client that doesn't read, and says so", () =>
    Effect.gen(function* () {
      const server = yield* startServer({ maxQueuedBytes: 2_000_000 })
      const client = yield* clientOf(server)
      const raw = yield* connectRaw(server)
      raw.socket.pause()
      for (let id = 0; id < 100 && server.logged.length === 0; id++) {
        yield* raw.send(request(String(id), "Large", { bytes: 1_000_000 }))
        yield* client.Echo({ bytes: new Uint8Array(1) })
      }
      yield* until("it is logged", () => server.logged.length === 1)
      assert.match(
        server.logged[0]!,
        /^Closed the connection of 127.0.0.1:\d+: 2000000 bytes wait for the client to read/
      )
      raw.socket.resume()
      const last = yield* raw.closed
      assert.strictEqual(last?._tag === "Goodbye" ? last.reason : last?._tag, "NotReading")
      yield* client.Echo({ bytes: new Uint8Array(1) })
    })
  )

  it.scopedLive("fails requests at once when the server closes, and is back when it is", () =>
    Effect.gen(function* () {
      const server = yield* startServer()
      const client = yield* clientOf(server)
      const outstanding = yield* Effect.fork(Effect.flip(client.Never()))
      yield* until("the request is there", () => server.seen.nevers === 1)

      yield* Effect.fork(server.close)
      const error = yield* within("1 second", Fiber.join(outstanding))
      assert.strictEqual(disconnectedOf(error).reason, "Closing")
      assert.strictEqual(
        error.message,
        `There is no connection to 127.0.0.1:${server.port}: the server closed it: The server shuts down.`
      )
      yield* until("nothing listens", () => server.seen.nevers === 0)

      const refused = yield* within("1 second", Effect.flip(client.Echo({ bytes: new Uint8Array(1) })))
      assert.include(["Closing", "Unreachable"], disconnectedOf(refused).reason)
      yield* server.close

      const again = yield* startServer({ port: server.port })
      // Without a pause between attempts, which is the hardest for the event loop.
      const note = Effect.retry(client.Note({ number: 1, padding: new Uint8Array(0) }), { while: () => true })
      const [took] = yield* Effect.timed(note)
      assert.deepStrictEqual(again.seen.notes, [1])
      // 80 ms at most by design (see ClientProtocol.test.ts); the rest is for a busy machine.
      assert.isBelow(Duration.toMillis(took), 1000)
    })
  )

  it.scopedLive("fails requests at once when the connection breaks without a word", () =>
    Effect.gen(function* () {
      const connections: Array<Net.Socket> = []
      const listener = Net.createServer((socket) => {
        connections.push(socket)
        socket.on("error", () => undefined)
        socket.once("data", () => socket.write(Message.encodeFromServer(format, { _tag: "Pong" })))
      })
      yield* Effect.async<void>((resume) => {
        listener.listen(0, "127.0.0.1", () => resume(Effect.void))
      })
      yield* Effect.addFinalizer(() => Effect.sync(() => listener.close()))
      const { port } = listener.address() as Net.AddressInfo
      const client = yield* clientOf({ host: "127.0.0.1", port })
      const outstanding = yield* Effect.fork(
        Effect.flip(Effect.all([client.Never(), client.Never()], { concurrency: 2 }))
      )
      yield* Effect.fork(Effect.flip(client.Never()))
      yield* Effect.yieldNow()
      listener.close()
      for (const socket of connections) socket.resetAndDestroy()
      const error = yield* within("1 second", Fiber.join(outstanding))
      assert.strictEqual(disconnectedOf(error).reason, "Lost")
    })
  )

  it.scopedLive("closes promptly with connections that are busy, silent, or don't read", () =>
    Effect.gen(function* () {
      const server = yield* startServer()
      const client = yield* clientOf(server)
      yield* Effect.forkScoped(
        Effect.ignore(
          Effect.forEach(Array.from({ length: 100 }), () => client.Never(), {
            concurrency: "unbounded"
          })
        )
      )
      yield* connectRaw(server)
      const reading = yield* connectRaw(server)
      reading.socket.pause()
      yield* reading.send(...Array.from({ length: 10 }, (_, id) => request(String(id), "Large", { bytes: 1_000_000 })))
      yield* until("the requests are there", () => server.seen.nevers === 100)

      const [took] = yield* Effect.timed(server.close)
      assert.isBelow(Duration.toMillis(took), 1000)
      assert.strictEqual(server.seen.nevers, 0)
      assert.deepStrictEqual(server.logged, [])
    })
  )

  it.scopedLive("says in a sentence why it can't listen", () =>
    Effect.gen(function* () {
      const server = yield* startServer()
      const used = yield* Effect.flip(startServer({ port: server.port }))
      assert.strictEqual(used.message, `Can't listen on 127.0.0.1:${server.port}: the port is in use.`)
      assert.deepStrictEqual(
        { host: used.host, port: used.port, code: used.code },
        {
          host: "127.0.0.1",
          port: server.port,
          code: "EADDRINUSE"
        }
      )
      const wrong = yield* Effect.flip(startServer({ port: 70_000 }))
      assert.strictEqual(wrong.message, "Can't listen on 127.0.0.1:70000: there is no such port.")
      const elsewhere = yield* Effect.flip(startServer({ host: "192.0.2.1" }))
      assert.strictEqual(elsewhere.message, "Can't listen on 192.0.2.1:0: this machine doesn't have that address.")
    })
  )

  it.scopedLive("makes a client of a server that isn't there, whose requests fail with the reason", () =>
    Effect.gen(function* () {
      const server = yield* startServer()
      yield* server.close
      const client = yield* clientOf(server)
      const error = disconnectedOf((yield* Effect.flip(client.Never())) as RpcClientError)
      assert.strictEqual(error.reason, "Unreachable")
      assert.strictEqual(
        error.message,
        `There is no connection to 127.0.0.1:${server.port}: connecting failed (ECONNREFUSED).`
      )
    })
  )

  it.scopedLive("leaves nothing behind when a client closes", () =>
    Effect.gen(function* () {
      const server = yield* startServer()
      const scope = yield* Scope.make()
      const client = yield* Scope.extend(clientOf(server), scope)
      const outstanding = yield* Effect.fork(Effect.either(client.Never()))
      yield* until("the request is there", () => server.seen.nevers === 1)
      yield* Scope.close(scope, Exit.void)
      yield* until("its handler was interrupted", () => server.seen.nevers === 0)
      assert.isTrue(Exit.isInterrupted(yield* Fiber.await(outstanding)))
      assert.deepStrictEqual(server.logged, [])
    })
  )
})

const causeOf = <A, E>(exit: Exit.Exit<A, E>): Cause.Cause<E> =>
  Either.getOrThrow(Either.flip(Exit.match(exit, { onFailure: Either.left, onSuccess: Either.right })))

const within = <A, E, R>(duration: Duration.DurationInput, effect: Effect.Effect<A, E, R>) =>
  Effect.orDie(Effect.timeout(effect, duration))
