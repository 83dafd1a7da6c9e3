import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Fs from "node:fs"
import * as Http2 from "node:http2"
import * as Net from "node:net"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Insist from "../src/Insist.js"
import * as Grpc from "../src/peers/etcd/Grpc.js"
import * as Session from "../src/peers/zookeeper/Session.js"
import * as Worker from "../src/Worker.js"

describe("the clients of other systems", () => {
  it("gRPC: frames a message, and tells a status that is not 0", async () => {
    const heard: Array<string> = []
    const server = Http2.createServer()
    server.on("stream", (stream, headers) => {
      stream.on("data", (chunk: Buffer) => heard.push(chunk.toString("hex")))
      stream.on("end", () => {
        stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true })
        stream.on("wantTrailers", () =>
          stream.sendTrailers({ "grpc-status": headers[":path"] === "/fine" ? "0" : "5" })
        )
        stream.end()
      })
    })
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    const grpc = Grpc.connect(`http://127.0.0.1:${(server.address() as Net.AddressInfo).port}`)
    const call = (path: string) =>
      new Promise<Error | undefined>((resolve) => grpc.call(path, Grpc.field(2, Buffer.from("ab")), resolve))
    assert.isUndefined(await call("/fine"))
    assert.include((await call("/lost"))?.message, "status 5")
    assert.deepStrictEqual(heard, ["000000000412026162", "000000000412026162"])
    grpc.close()
    server.close()
  })

  it("ZooKeeper: answers come in the order of the requests, however they are cut", async () => {
    const server = Net.createServer((socket) => {
      let handshake = true
      let rest: Buffer = Buffer.alloc(0)
      socket.on("data", (chunk: Buffer) => {
        rest = Buffer.concat([rest, chunk])
        for (
          ;
          rest.length >= 4 && rest.length >= 4 + rest.readInt32BE(0);
          rest = rest.subarray(4 + rest.readInt32BE(0))
        ) {
          const answer = Buffer.alloc(20)
          answer.writeInt32BE(16)
          if (!handshake) rest.copy(answer, 4, 4, 8)
          // Of the requests the second one fails.
          if (!handshake && rest.readInt32BE(4) === 2) answer.writeInt32BE(-101, 16)
          handshake = false
          socket.write(answer.subarray(0, 7))
          socket.write(answer.subarray(7))
        }
      })
    })
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    const session = await Session.connect("127.0.0.1", (server.address() as Net.AddressInfo).port)
    const outcomes: Array<string> = []
    await new Promise<void>((resolve) => {
      const note = (what: string) => (failure?: Error) => void outcomes.push(`${what} ${failure?.message ?? "done"}`)
      session.create("/a", Buffer.from("1"), note("create"))
      session.set("/b", Buffer.from("2"), note("set"))
      session.read("/a", (failure) => {
        note("read")(failure)
        resolve()
      })
    })
    assert.deepStrictEqual(outcomes, ["create done", "set ZooKeeper answered with error -101", "read done"])
    server.close()
  })

  it("ZooKeeper: a session that is idle pings more than once, and one that is lost fails at once", async () => {
    const ping = Buffer.from("00000008fffffffe0000000b", "hex")
    let heard = Buffer.alloc(0)
    const pings = () => heard.toString("hex").split(ping.toString("hex")).length - 1
    let enough: () => void = () => undefined
    const server = Net.createServer((socket) => {
      socket.once("data", () => socket.write(Buffer.concat([Buffer.from([0, 0, 0, 16]), Buffer.alloc(16)])))
      socket.on("data", (chunk: Buffer) => {
        heard = Buffer.concat([heard, chunk])
        if (pings() >= 3) enough()
      })
      socket.on("error", () => undefined)
    })
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    const session = await Session.connect("127.0.0.1", (server.address() as Net.AddressInfo).port, 20)
    await new Promise<void>((resolve) => (enough = resolve))
    assert.isAtLeast(pings(), 3)
    const ended = (ask: (done: Session.Done) => void) => new Promise<Error | undefined>(ask)
    const underWay = ended((done) => session.set("/a", Buffer.from("1"), done))
    session.close()
    assert.include((await underWay)?.message, "closed")
    assert.include((await ended((done) => session.set("/a", Buffer.from("1"), done)))?.message, "closed")
    server.close()
  })
})

describe("Insist", () => {
  it("goes on to the next member until it is answered, so many times", async () => {
    const asked: Array<number> = []
    const { insist } = Insist.make(3, (member) => {
      asked.push(member)
      return member === 2 ? Effect.void : Effect.fail("lost")
    })
    const { answered } = await insist({ id: 1, inFlight: 1, seconds: 20, answers: 2 })
    assert.deepStrictEqual(asked, [0, 1, 2, 2])
    assert.lengthOf(answered, 2)
  })

  it("ends when it is told so", async () => {
    const { enough, insist } = Insist.make(3, () => Effect.fail("lost"))
    const insisting = insist({ id: 7, inFlight: 4, seconds: 60, answers: 1 })
    await enough(7)
    assert.deepStrictEqual(await insisting, { answered: [] })
  })
})

describe("Worker", () => {
  /** A program that answers in lines: with its settings and the argument, or with a failure. */
  const program = `#!${process.execPath}
const lines = require("node:readline").createInterface(process.stdin)
lines.on("line", (line) => {
  const { argument, id, question } = JSON.parse(line)
  const answer = question === "sum" ? { id, answer: JSON.parse(process.argv[2]).first + argument } : { id, failure: "no" }
  console.log(JSON.stringify(answer))
})
lines.on("close", () => process.exit(0))
`
  const withProgram = Effect.acquireRelease(
    Effect.sync(() => {
      const directory = Fs.mkdtempSync(Path.join(Os.tmpdir(), "synod-bench-test-"))
      const file = Path.join(directory, "program")
      Fs.writeFileSync(file, program, { mode: 0o755 })
      return { directory, file }
    }),
    ({ directory }) => Effect.sync(() => Fs.rmSync(directory, { recursive: true, force: true }))
  )

  it.scopedLive("asks a program in another language, and tells when it is gone", () =>
    Effect.gen(function* () {
      const { file } = yield* withProgram
      const worker = yield* Worker.startForeign({ system: "it", file, settings: { first: 40 } })
      assert.strictEqual(yield* worker.ask("sum", 2), 42)
      assert.include((yield* Effect.flip(worker.ask("else"))).message, "no")
      yield* worker.kill
      assert.include((yield* Effect.flip(worker.ask("sum", 2))).message, "ended (SIGKILL)")
    })
  )
})
