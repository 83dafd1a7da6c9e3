import { NodeId, Proposer, Quorum, Slot } from "@synod/paxos"
import { Either } from "effect"
import { assert, describe, it } from "vitest"
import { calm, Cluster } from "./Cluster.js"
import type { Faults, Node } from "./Cluster.js"
import * as Partition from "./Partition.js"

const seeds = Number(process.env["SYNOD_SEEDS"] ?? 60)
const first = Number(process.env["SYNOD_SEED"] ?? 1)

const chaos: Faults = { loss: 0.15, repeat: 0.1, delay: 0, crash: 0.004, outage: 0, partition: 0 }
const storm: Faults = { loss: 0.05, repeat: 0.05, delay: 0.1, crash: 0.002, outage: 0.001, partition: 0.01 }

const members = (size: number) => Array.from({ length: size }, (_, i) => NodeId.make(i + 1))
const majority = (size: number) => Either.getOrThrow(Quorum.majority(members(size)))
const flexible = (size: number, prepare: number, accept: number) =>
  Either.getOrThrow(Quorum.flexible(members(size), { prepare, accept }))

/** Has the only leader among `nodes` decide two more slots, and all of `nodes` apply them. */
const progresses = (cluster: Cluster, nodes: ReadonlyArray<Node>, partition: Partition.Partition, where: string) => {
  const leaders = nodes.filter(
    ({ id, proposer }) => proposer._tag === "Leading" && Proposer.capacity(proposer, cluster.options(id)) > 0
  )
  assert.strictEqual(leaders.length, 1, `${where}: one leader that can propose`)
  const before = cluster.chosen.length
  for (let i = 0; i < 2; i++) {
    cluster.propose1(leaders[0]!.id)
    cluster.settle(1, partition)
  }
  // A leader reminds everybody of what is chosen now and again, never in two rounds that follow each other.
  cluster.settle(1, partition)
  const quiet = Math.min(cluster.settle(1, partition), cluster.settle(1, partition))
  assert.strictEqual(cluster.chosen.length, before + 2, `${where}: two more slots are chosen`)
  for (const { applied, id } of nodes) {
    assert.deepStrictEqual(applied, cluster.chosen, `${where}: node ${id} has applied all that is chosen`)
  }
  return quiet
}

const heals = (cluster: Cluster, where: string) => {
  cluster.settle(12 + 3 * cluster.members.length)
  const quiet = progresses(cluster, [...cluster.nodes.values()], Partition.none, where)
  assert.strictEqual(quiet, 0, `${where}: nothing is sent when everybody has everything`)
}

const tell = (
  what: string,
  quorums: Quorum.QuorumSystem,
  faults: Faults,
  end: (cluster: Cluster, seed: string) => void
) =>
  it(`${what}, ${quorums.name}, ${seeds} seeds`, { timeout: 60_000 + 100 * seeds }, async () => {
    const sum = { decided: 0, crashes: 0, leaders: 0, confirmations: 0 }
    for (let seed = first; seed < first + seeds; seed++) {
      const where = `SYNOD_SEEDS=1 SYNOD_SEED=${seed}`
      // Lets the runner hear from us in long runs.
      if (seed % 100 === 0) await new Promise((resolve) => setImmediate(resolve))
      const cluster = new Cluster(seed, quorums, faults)
      try {
        for (let i = 0; i < 1500; i++) cluster.random1()
        sum.decided += cluster.chosen.length
        sum.crashes += cluster.crashes
        sum.leaders += cluster.leaders
        sum.confirmations += cluster.confirmations.length
        end(cluster, where)
      } catch (error) {
        throw new Error(`${where}: ${String(error)}`, { cause: error })
      }
    }
    if (seeds < 100) return
    assert.isAbove(sum.decided, seeds, "something was chosen under chaos")
    assert.isAbove(sum.crashes, seeds, "replicas crashed")
    assert.isAbove(sum.leaders, seeds, "leaders changed")
    assert.isAbove(sum.confirmations, seeds / 8, "ballots were confirmed")
  })

describe("a cluster of plain steps decides once and becomes live again", () => {
  for (const size of [1, 2, 3, 5]) tell("after chaos", majority(size), chaos, heals)
  for (const quorums of [majority(3), majority(4), majority(5), majority(7), flexible(5, 4, 2), flexible(5, 2, 4)]) {
    tell("after a storm", quorums, storm, heals)
  }
})

describe("whoever can reach a quorum goes on", () => {
  for (const quorums of [majority(3), majority(5), flexible(5, 4, 2)]) {
    tell("a quorum is left", quorums, storm, (cluster, where) => {
      const order = cluster.random.shuffle(cluster.members)
      let size = 1
      const enough = (nodes: ReadonlySet<NodeId.NodeId>) =>
        quorums.isPrepareQuorum(1, nodes) && quorums.isAcceptQuorum(1, nodes)
      while (!enough(new Set(order.slice(0, size)))) size++
      const left = order.slice(0, size)
      const partition = Partition.halves(left)
      cluster.settle(12 + 3 * cluster.members.length, partition)
      progresses(
        cluster,
        left.map((id) => cluster.nodes.get(id)!),
        partition,
        where
      )
      heals(cluster, where)
    })
  }
  for (const quorums of [majority(3), majority(5)]) {
    tell("one hub is left", quorums, storm, (cluster, where) => {
      const hub = cluster.random.pick(cluster.members)
      const partition = Partition.star(hub)
      cluster.settle(12 + 3 * cluster.members.length, partition)
      const before = cluster.chosen.length
      for (const { id, proposer } of cluster.nodes.values()) {
        if (proposer._tag === "Leading" && Proposer.capacity(proposer, cluster.options(id)) > 0) cluster.propose1(id)
      }
      cluster.settle(3, partition)
      assert.isAbove(cluster.chosen.length, before, `${where}: the hub or a leader behind it decides`)
      assert.deepStrictEqual(cluster.nodes.get(hub)!.applied, cluster.chosen, `${where}: hub`)
      heals(cluster, where)
    })
  }
})

it("a node that forgot in an idle cluster what is chosen is told again", () => {
  const cluster = new Cluster(1, majority(3), calm)
  cluster.settle(12)
  const leader = cluster.leading[0]!.id
  cluster.propose1(leader)
  cluster.settle(3)
  const follower = members(3).find((node) => node !== leader)!
  // The mark may be written with the next entry only, and there was none.
  const disk = cluster.disks.get(follower)!
  disk.durable = { ...disk.durable, chosenThrough: Slot.zero }
  cluster.restart(follower)
  assert.strictEqual(cluster.nodes.get(follower)!.applied.length, 0)
  cluster.settle(12)
  assert.deepStrictEqual(cluster.nodes.get(follower)!.applied, cluster.chosen)
})
