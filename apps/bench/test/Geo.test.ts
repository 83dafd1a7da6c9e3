import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Net from "node:net"
import { performance } from "node:perf_hooks"
import * as Contention from "../src/geo/Contention.js"
import * as Distance from "../src/geo/Distance.js"
import * as Geo from "../src/geo/Geo.js"
import * as Regions from "../src/geo/Regions.js"

const echo = Effect.acquireRelease(
  Effect.async<Net.Server>((resume) => {
    const server = Net.createServer((socket) => void socket.pipe(socket))
    server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
  }),
  (server) => Effect.sync(() => server.close())
)

describe("Distance", () => {
  it.scopedLive("hands on all bytes in their order, both ways late", () =>
    Effect.gen(function* () {
      const server = yield* echo
      const oneWay = 30
      const port = yield* Distance.proxy((server.address() as Net.AddressInfo).port, oneWay)
      const pieces = Array.from({ length: 200 }, (_, i) => `${i};`)
      const begun = performance.now()
      let first = 0
      const heard = yield* Effect.async<string>((resume) => {
        let text = ""
        const socket = Net.connect({ host: "127.0.0.1", port, noDelay: true }, () => {
          for (const piece of pieces) socket.write(piece)
          socket.end()
        })
        socket.on("data", (chunk: Buffer) => {
          if (text === "") first = performance.now() - begun
          text += chunk.toString()
        })
        socket.on("close", () => resume(Effect.succeed(text)))
      })
      assert.strictEqual(heard, pieces.join(""))
      // Timers count whole milliseconds.
      assert.isAtLeast(first, 2 * oneWay - 2)
    })
  )
})

describe("Regions", () => {
  it("are as far from here to there as back", () => {
    assert.deepStrictEqual(
      [
        [1, 2],
        [2, 1],
        [1, 3],
        [3, 2],
        [2, 2]
      ].map(([a, b]) => Regions.roundTrip(a!, b!)),
      [40, 40, 80, 120, 0]
    )
  })
})

describe("Geo", () => {
  it("shows a row for each way, and the mean of the regions", () => {
    const from = (region: string, p50Millis: number) => ({ way: "leader in A", region, p50Millis, p99Millis: 200 })
    const lines = Geo.table([from("A", 40), from("B", 80), from("C", 120)]).split("\n")
    assert.match(lines[2]!, /^leader in A +40 \(200\) +80 \(200\) +120 \(200\) +80$/)
  })
})

describe("Contention", () => {
  it("has a line for those who duel and one for those who ask a leader", () => {
    const one = (by: string, clients: number) => ({
      ...{ by, clients, decisionsPerSecond: 10 * clients, p50Millis: clients, p99Millis: 2 * clients, failed: 0 }
    })
    const [latency, decisions] = Contention.charts([one("registers", 1), one("leader", 1), one("registers", 2)])
    assert.deepStrictEqual(latency?.lines, [
      {
        name: "proposers in clients",
        points: [
          [1, 1],
          [2, 2]
        ]
      },
      { name: "by a leader", points: [[1, 1]] }
    ])
    assert.deepStrictEqual(decisions?.lines[1]?.points, [[1, 10]])
  })
})
