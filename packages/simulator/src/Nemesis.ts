/**
 * Brings about what goes wrong in a simulated site, at the rates it was given, and undoes it.
 *
 * The atlas says which journals may be damaged or wiped, so that enough good copies stay.
 *
 * @since 0.1.0
 */
import type { Membership, NodeId } from "@synod/paxos"
import type { Atlas } from "./Atlas.js"
import { type Counts, type Fault, faults, names, type Rates } from "./Fault.js"
import type { Machine, Machines } from "./Machines.js"
import type { Network } from "./Network.js"
import * as Partition from "./Partition.js"
import * as QuorumSpecs from "./QuorumSpecs.js"
import type { World } from "./World.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Nemesis {
  /**
   * Nothing goes wrong any more, but for links that stay cut, and what went wrong is mended as far as it can be. Links that are
   * clogged and processes that stand still go on by themselves, the last of them at the time that this gives.
   */
  readonly rest: (partition: Partition.Partition) => number
}

/** How long a fault lasts that does not end by itself, in milliseconds. */
const durations = {
  partition: { least: 200, most: 4_000 },
  clog: { least: 100, most: 3_000 },
  pause: { least: 300, most: 6_000 },
  disk: { least: 200, most: 3_000 },
  jump: { least: -60_000, most: 60_000 },
  reconfigure: { least: 2_000, most: 6_000 }
} as const

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  world: World,
  options: {
    readonly rates: Rates
    readonly atlas: Atlas
    readonly members: ReadonlyArray<NodeId.NodeId>
    readonly machines: Machines
    readonly network: Network
    readonly counts: Counts
  }
): Nemesis => {
  const { atlas, counts, machines, members, network, rates } = options
  const seeded = world.seeded.fork("nemesis")
  let resting = false
  let partitions = 0
  let lasts = 0
  /** The members that are asked for, as long as somebody asks. */
  let wanted: Membership.Membership | undefined

  const within = ({ least, most }: { readonly least: number; readonly most: number }): number =>
    least + seeded.next() * (most - least)
  const lasting = (range: { readonly least: number; readonly most: number }): number => {
    const time = within(range)
    lasts = Math.max(lasts, world.now() + time)
    return time
  }
  const anyMachine = (): Machine => seeded.pick(machines.all)

  const cut = (kind: Partition.Kind): boolean => {
    const partition = Partition.random(kind, seeded, members)
    if (partition === undefined) return false
    const number = ++partitions
    network.cut(partition)
    world.after(within(durations.partition), () => {
      if (number === partitions) network.cut(Partition.none)
    })
    return true
  }

  const onDisk = (machine: Machine, property: "full" | "slow"): boolean => {
    machine.disk[property] = true
    world.after(within(durations.disk), () => {
      machine.disk[property] = false
    })
    return true
  }

  /** Somebody asks for other members; and whoever it is may crash meanwhile. */
  const reconfigure = (): boolean => {
    if (wanted !== undefined) return false
    const order = seeded.shuffle(atlas.left())
    const count = seeded.between(1, order.length)
    const voters = order.slice(0, count)
    const learners = order.slice(count).filter(() => seeded.chance(0.3))
    const membership = { voters, learners, quorums: QuorumSpecs.draw(seeded, voters) }
    const time = lasting(durations.reconfigure)
    if (!machines.change(anyMachine(), membership, time)) return false
    wanted = membership
    world.trace.event("", "asked for", () => `voters ${voters.join(", ")} (${membership.quorums._tag})`)
    world.after(time, () => (wanted = undefined))
    return true
  }

  const mayLose = (node: NodeId.NodeId): boolean => wanted?.voters.includes(node) !== true && atlas.mayLose(node)

  /** Does it, unless it can't be done or must not be. */
  const strike = (fault: Fault): boolean => {
    const machine = anyMachine()
    switch (fault) {
      case "halves":
      case "oneWay":
      case "ring":
      case "isolate":
      case "quorumLoss":
      case "constrained":
      case "chained":
        return cut(fault)
      case "clog": {
        const [from, to] = seeded.shuffle(members) as [NodeId.NodeId, NodeId.NodeId]
        network.clog(from, to, lasting(durations.clog))
        return true
      }
      case "outage":
        for (const one of machines.all) machines.crash(one, true)
        return true
      case "handOver": {
        const stop = seeded.chance(0.5)
        return machines.all.some((one) => machines.handOver(one, stop))
      }
      case "pause":
        machine.process?.pause(lasting(durations.pause))
        return machine.process !== undefined
      case "jump":
        machine.process?.jump(Math.round(within(durations.jump)))
        return machine.process !== undefined
      case "bitFlip":
        if (!mayLose(machine.node) || !machine.disk.rot()) return false
        atlas.lose(machine.node)
        return true
      case "diskFull":
        return onDisk(machine, "full")
      case "slowDisk":
        return onDisk(machine, "slow")
      case "wipe":
        if (machine.lost || !mayLose(machine.node)) return false
        atlas.lose(machine.node)
        machines.wipe(machine)
        return true
      case "reconfigure":
        return reconfigure()
      default:
        return false
    }
  }

  /** Strikes now and again, as seldom or often as its rate says. */
  const haunt = (fault: Fault): void => {
    const rate = rates[fault] ?? 0
    if (rate <= 0) return
    world.after((-Math.log(1 - seeded.next()) / rate) * 1_000, () => {
      if (resting) return
      if (strike(fault)) {
        counts.fired(fault)
        world.trace.event("", "fault", () => fault)
      }
      haunt(fault)
    })
  }

  network.setRates(rates)
  machines.setRates(rates)
  for (const fault of names) if (faults[fault].unit === "second") haunt(fault)

  return {
    rest: (partition) => {
      resting = true
      partitions++
      network.cut(partition)
      network.setRates({})
      machines.setRates({})
      for (const { disk } of machines.all) disk.full = disk.slow = false
      // A journal that is damaged may be found out at any time; its machine is out of the healthy core.
      const left = new Set(atlas.left())
      for (const machine of machines.all) if (!left.has(machine.node)) machines.lose(machine)
      machines.settle()
      return Math.max(world.now(), lasts)
    }
  }
}
