import { Registers, Run, Simulation, SqlRegisters } from "@synod/simulator"
import { describe, expect, it } from "vitest"

const { layer, workload } = Registers

Simulation.test(Registers.Registers, { layer, workload, seeds: 20 })

// Held against itself, as a user's machine on tables is.
Simulation.test(SqlRegisters.SqlRegisters, {
  layer: SqlRegisters.layer,
  workload,
  invariant: (rows) => {
    const [{ n }] = rows("SELECT count(*) AS n FROM register") as [{ n: number }]
    return n <= 2 ? undefined : `there are ${n} registers, and clients know of two`
  },
  chaos: 4,
  seeds: 5
})

describe("a simulated world", () => {
  const run = (seed: number, readable = false) => Run.run(Registers.Registers, { layer, workload, seed, readable })

  it("does the same again for the same seed, whether or not it is read", () => {
    for (const seed of [1, 2, 3]) {
      const { lines, ...first } = run(seed)
      expect(lines).toEqual([])
      const { lines: read, ...second } = run(seed, true)
      expect(second).toEqual(first)
      expect(read.length).toBeGreaterThan(300)
    }
    expect(run(4).hash).not.toBe(run(5).hash)
  })
})
