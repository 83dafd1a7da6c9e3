import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Measured } from "../src/Benchmark.js"
import * as Heat from "../src/Heat.js"
import * as Flushes from "../src/peers/Flushes.js"
import * as Plot from "../src/Plot.js"
import * as Plots from "../src/Plots.js"
import * as Report from "../src/Report.js"
import * as Targets from "../src/Targets.js"
import * as Usage from "../src/Usage.js"

const sample = (system: string, run: number, commandsPerSecond: number): Measured => ({
  system,
  client: "remote",
  operation: "put",
  inFlight: 16,
  run,
  commandsPerSecond,
  p50Millis: run,
  p99Millis: 10 * run,
  membersCpu: 100 * run,
  clientCpu: undefined
})

describe("Report", () => {
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
    assert.strictEqual(other?.membersCpu, 200)
    assert.isUndefined(other?.clientCpu, "nobody knows it")
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

describe("Usage", () => {
  it("reads the times of a process, whatever its name is", () => {
    const stat = "42 (a (strange) name) S 1 42 42 0 -1 4194560 1 2 3 4 250 50 0 0 20 0 1 0 100 1 1"
    assert.strictEqual(Usage.cpuOf(stat), 3)
  })

  it("reads what is in memory", () => {
    assert.strictEqual(Usage.residentOf("Name:\tnode\nVmRSS:\t    2048 kB\nThreads:\t1\n"), 2)
  })

  it("knows nothing of a process that is not there", () => {
    assert.isUndefined(Usage.mebibytes([0]))
  })
})

describe("Heat", () => {
  const timesUntilWarm = (rates: ReadonlyArray<number>) => {
    let times = 0
    const measure = Effect.sync(() => {
      const commandsPerSecond = rates[Math.min(times++, rates.length - 1)]!
      return { commandsPerSecond, p50Millis: 1, p99Millis: 1 }
    })
    Effect.runSync(Heat.up(measure))
    return times
  }

  it("goes on while it gets faster, and twice more", () => {
    assert.strictEqual(timesUntilWarm([100, 200, 300]), 5)
    assert.strictEqual(timesUntilWarm([100, 90, 200, 201, 202]), 5)
  })

  it("ends also if it always gets faster", () => {
    assert.strictEqual(timesUntilWarm(Array.from({ length: 100 }, (_, i) => 2 ** i)), 15)
  })
})

describe("Plot", () => {
  it("has ticks from one below the values to one above", () => {
    assert.deepStrictEqual(Plot.linearTicks([-950, 4100]), [-1000, 0, 1000, 2000, 3000, 4000, 5000])
    assert.deepStrictEqual(Plot.logarithmicTicks([3, 40]), [2, 5, 10, 20, 50])
    assert.deepStrictEqual(Plot.logarithmicTicks([150, 90_000]), [100, 1000, 10_000, 100_000])
  })

  it("has an axis also for one value, or none", () => {
    for (const ticks of [
      Plot.linearTicks([]),
      Plot.linearTicks([0]),
      Plot.logarithmicTicks([]),
      Plot.logarithmicTicks([10])
    ]) {
      assert.isAtLeast(ticks.length, 2)
    }
  })

  it("puts the greatest x to the right and the greatest y to the top, and escapes names", () => {
    const axis = { title: "n", scale: "linear" } as const
    const lines = [
      {
        name: "a < b & c",
        points: [
          [0, 0],
          [10, 10]
        ] as const
      }
    ]
    const text = Plot.svg([{ title: "t", x: axis, y: axis, lines }])
    const [, x1, y1, x2, y2] = /points="([\d.]+),([\d.]+) ([\d.]+),([\d.]+)"/.exec(text)!
    assert.deepStrictEqual([x1, y1, x2, y2], ["70.0", "330.0", "550.0", "36.0"])
    assert.include(text, ">a &lt; b &amp; c<")
    assert.notInclude(text, "NaN")
  })
})

describe("Plots", () => {
  it("counts answers in steps, and shows those without any as zero", () => {
    assert.deepStrictEqual(Plots.rates([-60, -10, -5, 120, 190], 50), [
      [-75, 20],
      [-25, 40],
      [25, 0],
      [75, 0],
      [125, 20]
    ])
  })

  it("has a line for each system", () => {
    const rows = Report.rows([sample("a", 1, 10), sample("b", 1, 20), { ...sample("a", 1, 30), inFlight: 64 }], "a")
    const [chart, ...others] = Plots.curves(rows)
    assert.isEmpty(others, "only what was measured is shown")
    assert.deepStrictEqual(chart?.lines, [
      {
        name: "a",
        colour: 0,
        points: [
          [10, 1],
          [30, 1]
        ]
      },
      { name: "b", colour: 1, points: [[20, 1]] }
    ])
  })
})

describe("Targets", () => {
  const nothing = { failovers: [], coldRestarts: [], catchUp: undefined }

  it("holds Synod against others only where both were measured", () => {
    const rows = Report.rows([sample("synod", 1, 300), sample("zookeeper", 1, 400)], "synod")
    const targets = Targets.targets(rows, nothing)
    assert.deepStrictEqual(
      targets.map((target) => [target.what, target.reached, Targets.verdict(target)]),
      [
        ["remote writes, 16 in flight, throughput, of zookeeper's", 0.75, "nothing"],
        ["remote writes, 16 in flight, 99th percentile, of zookeeper's", 1, "met"]
      ]
    )
    assert.match(Targets.table(targets), /throughput, of zookeeper's +0\.75 × +≥ 1\.40 × +≥ 2\.50 × +MISSED/)
  })

  it("takes medians of times, of which less is better", () => {
    const failovers = [
      { system: "synod", milliseconds: [900, 300, 500], timeline: [] },
      { system: "zookeeper", milliseconds: [400], timeline: [] }
    ]
    const reached = Targets.targets([], { ...nothing, failovers }).map((target) => [
      target.what,
      target.reached,
      Targets.verdict(target)
    ])
    assert.deepStrictEqual(reached, [
      ["failover", 500, "met"],
      ["failover, of zookeeper's", 1.25, "nothing"]
    ])
  })

  it("tells what it has to reach from what it aims at", () => {
    const one = { what: "", better: "less", unit: "×" } as const
    assert.strictEqual(Targets.verdict({ ...one, reached: 0.5, must: 1, aim: 0.5 }), "aim")
    assert.strictEqual(Targets.verdict({ ...one, reached: 0.6, must: 1, aim: 0.5 }), "met")
    assert.strictEqual(Targets.verdict({ ...one, reached: 1.1, must: 1, aim: 0.5 }), "nothing")
    assert.strictEqual(Targets.verdict({ ...one, reached: 1.1, aim: 1 }), "not yet")
    assert.strictEqual(Targets.verdict({ ...one, better: "more", reached: 3, must: 2, aim: 4 }), "met")
  })
})
