/**
 * The links of a simulated network: one direction between two processes, with a latency, an order, and faults.
 *
 * @since 0.1.0
 */
import { NodeId } from "@synod/paxos"
import type { Counts, Fault, Rates } from "./Fault.js"
import type { Partition } from "./Partition.js"
import * as Partitions from "./Partition.js"
import type { World } from "./World.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Link {
  readonly from: string
  readonly to: string
  /** When the last message that keeps the order arrives. */
  last: number
  /** Until when it holds everything back. */
  clogged: number
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Links {
  readonly between: (from: string, to: string) => Link
  readonly isCut: (link: Link) => boolean
  /** Milliseconds that a message takes that meets with no fault. */
  readonly latency: () => number
  readonly send: (
    link: Link,
    bytes: Uint8Array,
    on: { readonly lost: () => void; readonly arrived: (bytes: Uint8Array) => void }
  ) => void
  readonly cut: (partition: Partition) => void
  readonly clog: (from: number, to: number, milliseconds: number) => void
  readonly setRates: (rates: Rates) => void
}

/** A message between machines of one site, in milliseconds. */
const latencies = { least: 0.2, most: 1 } as const

/** How far a message falls behind those sent later, in milliseconds. */
const reorderings = { least: 1, most: 50 } as const
const delays = { least: 500, most: 5_000 } as const

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = (world: World, counts: Counts): Links => {
  const seeded = world.seeded.fork("network")
  const links = new Map<string, Link>()
  let partition: Partition = Partitions.none
  let rates: Rates = {}

  const happens = (fault: Fault): boolean => {
    if (!seeded.chance(rates[fault] ?? 0)) return false
    counts.fired(fault)
    return true
  }
  const within = ({ least, most }: { readonly least: number; readonly most: number }): number =>
    least + seeded.next() * (most - least)

  const between = (from: string, to: string): Link => {
    const key = `${from} ${to}`
    const known = links.get(key)
    if (known !== undefined) return known
    const link = { from, to, last: 0, clogged: 0 }
    links.set(key, link)
    return link
  }

  const isCut = ({ from, to }: Link): boolean => {
    const [a, b] = [nodeOf(from), nodeOf(to)]
    return a !== undefined && b !== undefined && !partition(a, b)
  }

  const deliver = (
    link: Link,
    bytes: Uint8Array,
    inOrder: boolean,
    extra: number,
    on: Parameters<Links["send"]>[2]
  ) => {
    const soonest = Math.max(world.now() + within(latencies), link.clogged)
    const arrival = inOrder ? Math.max(soonest, link.last) : soonest + extra
    if (inOrder) link.last = arrival
    world.after(arrival - world.now(), () => (isCut(link) ? on.lost() : on.arrived(bytes)))
  }

  return {
    between,
    isCut,
    latency: () => within(latencies),
    send: (link, frame, on) => {
      if (isCut(link) || happens("loss")) return on.lost()
      const bytes = happens("corruption") ? flipped(frame, seeded.below(frame.length * 8)) : frame
      if (happens("delay")) deliver(link, bytes, false, within(delays), on)
      else if (happens("reordering")) deliver(link, bytes, false, within(reorderings), on)
      else deliver(link, bytes, true, 0, on)
      if (happens("duplication")) deliver(link, frame, false, within(reorderings), on)
    },
    cut: (next) => {
      partition = next
    },
    clog: (from, to, milliseconds) => {
      between(String(from), String(to)).clogged = world.now() + milliseconds
    },
    setRates: (next) => {
      rates = next
    }
  }
}

/** Replicas are called by their nodes; clients have names that are no numbers. */
const nodeOf = (name: string): NodeId.NodeId | undefined => (/^\d+$/.test(name) ? NodeId.make(Number(name)) : undefined)

const flipped = (frame: Uint8Array, bit: number): Uint8Array => {
  const bytes = frame.slice()
  bytes[bit >> 3]! ^= 1 << (bit & 7)
  return bytes
}
