import { NodeId } from "@synod/paxos"
import { Partition, Seeded } from "@synod/simulator"
import { assert, describe, it } from "vitest"

const members = (size: number) => Array.from({ length: size }, (_, i) => NodeId.make(i + 1))

/** The links that carry messages, as `from>to`. */
const links = (nodes: ReadonlyArray<NodeId.NodeId>, partition: Partition.Partition) =>
  nodes.flatMap((from) => nodes.filter((to) => to !== from && partition(from, to)).map((to) => `${from}>${to}`))

const [one, two, three] = members(3) as [NodeId.NodeId, NodeId.NodeId, NodeId.NodeId]

describe("a partition", () => {
  it("cuts what its name says", () => {
    const all = members(4)
    assert.deepStrictEqual(links(all, Partition.halves([one, two])), ["1>2", "2>1", "3>4", "4>3"])
    assert.deepStrictEqual(links(members(3), Partition.oneWay(one, two)), ["1>3", "2>1", "2>3", "3>1", "3>2"])
    assert.deepStrictEqual(links(all, Partition.ring(all)), ["1>2", "1>4", "2>1", "2>3", "3>2", "3>4", "4>1", "4>3"])
    assert.deepStrictEqual(links(members(3), Partition.isolate(two)), ["1>3", "3>1"])
    assert.deepStrictEqual(links(all, Partition.quorumLoss(two)), ["1>2", "2>1", "2>3", "2>4", "3>2", "4>2"])
    assert.deepStrictEqual(links(all, Partition.constrained(two, three)), ["1>2", "2>1", "2>4", "4>2"])
    assert.deepStrictEqual(links(members(3), Partition.chained(one, two)), ["1>3", "2>3", "3>1", "3>2"])
  })

  for (const kind of Partition.kinds) {
    it(`of kind ${kind} is never whole, never cuts a node off from itself, and needs ${Partition.fewest(kind)} members`, () => {
      const seeded = Seeded.make(1, kind)
      for (const size of [3, 4, 5, 7]) {
        const nodes = members(size)
        for (let i = 0; i < 50; i++) {
          const partition = Partition.random(kind, seeded, nodes)
          if (size < Partition.fewest(kind)) {
            assert.isUndefined(partition)
            continue
          }
          assert.isDefined(partition)
          assert.isBelow(links(nodes, partition!).length, size * (size - 1))
          for (const node of nodes) assert.isTrue(partition!(node, node))
        }
      }
      assert.isUndefined(Partition.random(kind, seeded, members(1)))
    })
  }

  it("takes the leader's lead away where its kind says so", () => {
    const seeded = Seeded.make(2)
    for (let i = 0; i < 50; i++) {
      const leader = seeded.pick(members(5))
      const heard = (partition: Partition.Partition | undefined) =>
        members(5).filter((node) => node !== leader && partition!(node, leader) && partition!(leader, node)).length
      assert.strictEqual(heard(Partition.random("quorumLoss", seeded, members(5), leader)), 1)
      assert.strictEqual(heard(Partition.random("constrained", seeded, members(5), leader)), 0)
      assert.strictEqual(heard(Partition.random("chained", seeded, members(5), leader)), 3)
    }
  })
})
