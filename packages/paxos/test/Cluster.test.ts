import { Proposer } from "@synod/paxos"
import { assert, describe, it } from "vitest"
import { Cluster } from "./Cluster.js"

const chaos = { loss: 0.15, repeat: 0.1, crash: 0.004 }

const run = (seed: number, size: number, steps: number) => {
  const cluster = new Cluster(seed, size, chaos)
  for (let i = 0; i < steps; i++) cluster.random1()
  const before = cluster.chosen.length
  cluster.settle(12)
  const leader = cluster.leading
  assert.strictEqual(leader.length, 1, `seed ${seed}: one leader once nothing fails`)
  const node = leader[0]!
  assert.isAbove(Proposer.capacity(node.proposer, cluster.options(node.id)), 0, `seed ${seed}: the pipeline is free again`)
  cluster.command(node.id)
  cluster.command(node.id)
  cluster.settle(3)
  for (const [id, { applied }] of cluster.nodes) {
    assert.deepStrictEqual(applied, cluster.chosen, `seed ${seed}: node ${id} has applied all that is chosen`)
  }
  return { cluster, before }
}

describe("a cluster of plain steps", () => {
  const seeds = Number(process.env["SYNOD_SEEDS"] ?? 400)
  for (const size of [1, 2, 3, 5]) {
    it(`decides once and becomes live again, ${size} nodes, ${seeds} seeds`, () => {
      let decided = 0
      let crashes = 0
      let leaders = 0
      let confirmations = 0
      for (let seed = 1; seed <= seeds; seed++) {
        const { before, cluster } = run(seed, size, 1500)
        decided += before
        crashes += cluster.crashes
        leaders += cluster.leaders
        confirmations += cluster.confirmations.length
      }
      assert.isAbove(decided, seeds, "something was chosen under chaos")
      assert.isAbove(crashes, seeds, "replicas crashed")
      assert.isAbove(leaders, seeds, "leaders changed")
      assert.isAbove(confirmations, seeds / 4, "ballots were confirmed")
    })
  }
})
