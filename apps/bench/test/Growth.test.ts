import { assert, describe, it } from "@effect/vitest"
import * as Exponent from "../src/growth/Exponent.js"
import * as Growth from "../src/growth/Growth.js"

describe("Exponent", () => {
  it("finds the power with which something grows", () => {
    const power = (p: number) => [1, 10, 100].map((x) => [x, 3 * x ** p] as const)
    assert.closeTo(Exponent.exponent(power(1)), 1, 1e-9)
    assert.closeTo(Exponent.exponent(power(2)), 2, 1e-9)
    assert.closeTo(Exponent.exponent(power(0)), 0, 1e-9)
  })

  it("says what grows faster than its cause, and what nobody knows", () => {
    const squares = [1, 2, 4].map((x) => [x, x * x] as const)
    const roots = [1, 2, 4].map((x) => [x, Math.sqrt(x)] as const)
    assert.include(Exponent.verdict(squares), "FASTER")
    assert.include(Exponent.verdict(roots), "no faster")
    assert.include(Exponent.verdict([[1, Number.NaN]]), "can't be told")
  })
})

describe("Growth", () => {
  const grown = (size: number, commandsPerSecond: number): Growth.Grown => ({
    ...{ cause: "sessions", size, commandsPerSecond, cpu: undefined, memory: 100 }
  })

  it("says nothing of CPU where it isn't known", () => {
    const statements = Growth.statements([grown(10, 1000), grown(100, 10)])
    assert.deepStrictEqual(statements, [
      "time of a command grows with sessions to the power of 2.00: FASTER than its cause",
      "memory of a replica grows with sessions to the power of 0.00: no faster than its cause"
    ])
    assert.deepStrictEqual(
      Growth.charts([grown(10, 1000)])[0]?.lines.map(({ name }) => name),
      ["µs a command", "MiB a replica"]
    )
  })
})
