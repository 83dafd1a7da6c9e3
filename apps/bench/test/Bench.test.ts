import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { execFile } from "node:child_process"
import * as Fs from "node:fs"
import * as Http2 from "node:http2"
import * as Net from "node:net"
import * as Os from "node:os"
import * as Path from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import type { Measured } from "../src/Benchmark.js"
import * as Flushes from "../src/peers/Flushes.js"
import * as Grpc from "../src/peers/etcd/Grpc.js"
import * as Session from "../src/peers/zookeeper/Session.js"
import * as Report from "../src/Report.js"

/** Built by the gate's types stage, which comes before the tests. */
const bin = fileURLToPath(new URL("../dist/bin.js", import.meta.url))

const bench = (args: ReadonlyArray<string>) => promisify(execFile)(process.execPath, [bin, ...args])

const Saved = Schema.Struct({
  rows: Schema.Array(
    Schema.Struct({
      client: Schema.String,
      inFlight: Schema.Int,
      system: Schema.String,
      commandsPerSecond: Schema.Positive,
      p50Millis: Schema.Positive,
      p99Millis: Schema.Positive,
      share: Schema.Positive
    })
  )
})

describe("bench", () => {
  it("restarts, floods, kills and brings back replicas", { timeout: 90_000 }, async () => {
    const studies = ["--restart", "--overload", "--failover", "--catch-up"]
    const smallest = ["--commands", "2000", "--seconds", "0.3", "--runs", "1", "--quick"]
    const { stderr, stdout } = await bench([...studies, ...smallest])
    assert.match(stdout, /\nmedian [\d.]+ s, longest [\d.]+ s after [\d,]+ commands/)
    assert.match(stderr, /is up to slot \d+, from the first slot, after/)
    assert.match(stdout, /\n\d+ % of the peak of [\d,]+ commands\/s when [\d.]+ times as much is asked for/)
    assert.match(stdout, /\nmedian \d+ ms, longest \d+ ms\n/)
    assert.match(stdout, /\nthroughput while a replica catches up, of that before: \d+ % by entries/)
  })

  it("measures both systems from both clients, and shows the figures", { timeout: 60_000 }, async () => {
    const directory = Fs.mkdtempSync(Path.join(Os.tmpdir(), "synod-bench-test-"))
    try {
      const json = Path.join(directory, "samples.json")
      const { stdout } = await bench(["--in-flight", "8", "--seconds", "0.1", "--runs", "1", "--json", json])
      const { rows } = Schema.decodeUnknownSync(Schema.parseJson(Saved))(Fs.readFileSync(json, "utf8"))
      assert.deepStrictEqual(
        rows.map(({ client, inFlight, system }) => [client, inFlight, system]),
        [
          ["embedded", 8, "bare limit"],
          ["embedded", 8, "synod"],
          ["remote", 8, "bare limit"],
          ["remote", 8, "synod"]
        ]
      )
      for (const { commandsPerSecond } of rows) {
        assert.include(stdout, Math.round(commandsPerSecond).toLocaleString("en"), "the table shows the saved figures")
      }
    } finally {
      Fs.rmSync(directory, { recursive: true, force: true })
    }
  })

  it("refuses options that can't be, in a sentence and with exit code 1", async () => {
    const failure = await bench(["--in-flight", "none"]).then(
      () => assert.fail("it accepted the option"),
      (error: { readonly code: number; readonly stdout: string; readonly stderr: string }) => error
    )
    assert.strictEqual(failure.code, 1)
    assert.include(failure.stdout + failure.stderr, "in-flight")
    assert.notInclude(failure.stdout + failure.stderr, "    at ", "no stack trace")
  })
})

describe("Report", () => {
  const sample = (system: string, run: number, commandsPerSecond: number): Measured => ({
    system,
    client: "remote",
    operation: "put",
    inFlight: 16,
    run,
    commandsPerSecond,
    p50Millis: run,
    p99Millis: 10 * run
  })

  it("takes medians over the runs and shares of the limit", () => {
    const measured = [
      ...[900, 1000, 5000].map((rate, i) => sample("limit", i + 1, rate)),
      ...[400, 100, 500].map((rate, i) => sample("other", i + 1, rate))
    ]
    const [limit, other] = Report.rows(measured, "limit")
    assert.strictEqual(limit?.commandsPerSecond, 1000)
    assert.strictEqual(limit?.share, 1)
    assert.strictEqual(other?.commandsPerSecond, 400)
    assert.strictEqual(other?.share, 0.4)
    assert.strictEqual(other?.p50Millis, 2)
    assert.strictEqual(other?.p99Millis, 20)
  })

  it("holds one system against the others, where both were measured", () => {
    const measured = [sample("a", 2, 600), sample("b", 1, 400), { ...sample("b", 1, 400), inFlight: 1 }]
    assert.deepStrictEqual(Report.ratios(Report.rows(measured, "a"), "a"), [
      {
        ...{ client: "remote", operation: "put", inFlight: 16, system: "a", beside: "b" },
        ...{ commandsPerSecond: 1.5, p50Millis: 2, p99Millis: 2 }
      }
    ])
  })

  it("takes the mean of the middle two of an even number", () => {
    assert.strictEqual(Report.median([4, 1, 3, 2]), 2.5)
  })
})

describe("Flushes", () => {
  it("counts the calls that strace saw, one that was cut in two once", () => {
    const trace = [
      "101 fdatasync(31 <unfinished ...>",
      "102 fsync(7) = 0",
      "101 <... fdatasync resumed>) = 0",
      "103 +++ exited with 0 +++"
    ]
    assert.strictEqual(Flushes.count(trace.join("\n")), 2)
  })
})

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
})
