import { Registers, Run, Simulation } from "@synod/simulator"
import { describe, expect, it } from "vitest"

const { layer, workload } = Registers

Simulation.test(Registers.Registers, { layer, workload, seeds: 40 })

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
