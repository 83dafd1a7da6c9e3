/**
 * What goes wrong in one cycle, drawn from a seed: the same seed gives the same plan. When exactly each thing meets the
 * processes is not up to it.
 */
import type { Seeded } from "@synod/simulator"

/** Every fault, and a word on it. */
export const faults = {
  kill: "kill -9, started again later",
  stop: "SIGTERM: hands over and ends with 0, started again later",
  pause: "SIGSTOP, SIGCONT later",
  isolate: "hears no other replica, or isn't heard, or both",
  oneWay: "one direction between two replicas is dead",
  chained: "two replicas don't hear each other, others hear both",
  star: "replicas hear one of them only, which didn't lead",
  unheard: "no client reaches it",
  slow: "whatever comes from it or goes to it takes long",
  reset: "its connections break",
  full: "it may write no more to its disk",
  clientKill: "a client process is killed with kill -9",
  clientPause: "a client process is paused",
  outage: "kill -9 for all replicas at once"
} as const

export type Kind = keyof typeof faults

/**
 * `one`: one fault after another, each on whichever replica it likes best. `several`: at the same time, but all on the same
 * replicas, fewer than half. `beyond`: at the same time, on any replicas: more than what is promised to be survived without a
 * pause, so that only nothing may be lost.
 */
export type Mode = "one" | "several" | "beyond"

/** Who is hit: found when the first fault on it comes. */
export interface Seat {
  /** The replica that leads then, rather than another one. */
  readonly leader: boolean
  /** Which one of those that come into question, modulo their number. */
  readonly index: number
}

export interface Fault {
  readonly kind: Kind
  /** Index of a seat. */
  readonly seat: number
  /** The other end, where there is one: which of the other replicas, modulo their number. */
  readonly other: number
  readonly direction: "in" | "out" | "both"
  /** Milliseconds: from the beginning of the cycle, how long, and what `slow` adds. */
  readonly at: number
  readonly for: number
  readonly delay: number
}

export interface Plan {
  readonly mode: Mode
  readonly seats: ReadonlyArray<Seat>
  /** In the order of their times. */
  readonly faults: ReadonlyArray<Fault>
}

/** What a cycle may use of the faults. */
export interface World {
  readonly replicas: number
  readonly seconds: number
  /** Can the size of files be limited here? */
  readonly canFill: boolean
}

/** Shares of the modes. */
const modes: ReadonlyArray<Mode> = ["one", "one", "several", "beyond"]

/** Milliseconds before the first fault, and between two that come one after another. */
const calm = { least: 100, most: 500 }

/** Milliseconds that a fault lasts. */
const lasting = { least: 150, most: 2000 }

/** Milliseconds that `slow` adds. */
const delays = { least: 5, most: 80 }

/** How many faults come at the same time. */
const together = { least: 2, most: 4 }

/** How often the leader is meant. */
const leaderShare = 0.6

export const draw = (seeded: Seeded.Seeded, world: World): Plan => {
  const mode = world.replicas < 3 ? "beyond" : seeded.pick(modes)
  const kinds = kindsOf(mode, world)
  const total = world.seconds * 1000
  const most = Math.min(lasting.most, Math.max(lasting.least, total / 2))
  const seats: Array<Seat> = []
  const seat = (): number => seats.push({ leader: seeded.chance(leaderShare), index: seeded.below(world.replicas) }) - 1
  const fault = (at: number, seat: number): Fault => ({
    kind: seeded.pick(kinds),
    seat,
    other: seeded.below(world.replicas),
    direction: seeded.pick(["in", "out", "both"]),
    at,
    for: seeded.between(lasting.least, Math.round(most)),
    delay: seeded.between(delays.least, delays.most)
  })
  if (mode === "one") {
    const faults: Array<Fault> = []
    let at = seeded.between(calm.least, calm.most)
    while (faults.length === 0 || at < total - lasting.least) {
      const next = fault(at, seat())
      faults.push(next)
      at += next.for + seeded.between(calm.least, calm.most)
    }
    return { mode, seats, faults }
  }
  const minority = Math.floor((world.replicas - 1) / 2)
  if (mode === "several") for (let i = 0; i < minority; i++) seat()
  const faults = Array.from({ length: seeded.between(together.least, together.most) }, () =>
    fault(
      seeded.between(calm.least, Math.round(Math.max(calm.most, total - most))),
      mode === "several" ? seeded.below(minority) : seat()
    )
  )
  return { mode, seats, faults: faults.sort((a, b) => a.at - b.at) }
}

const kindsOf = (mode: Mode, { canFill, replicas }: World): ReadonlyArray<Kind> =>
  (Object.keys(faults) as Array<Kind>).filter((kind) => {
    if (kind === "full") return canFill
    if (kind === "outage") return mode === "beyond"
    // Of three, it is the same as `chained`; among several faults, it would take all replicas and not only some.
    if (kind === "star") return replicas > 3 && mode !== "several"
    return true
  })

/** As a person reads it: `stop the leader at 0.4 s for 1.2 s`. */
export const describe = ({ faults, mode, seats }: Plan): string => {
  const seconds = (milliseconds: number) => `${(milliseconds / 1000).toFixed(1)} s`
  const one = ({ at, direction, for: length, kind, seat }: Fault) =>
    `${kind}${kind === "isolate" && direction !== "both" ? ` (${direction})` : ""}` +
    `${kind === "outage" || kind === "star" || kind.startsWith("client") ? "" : seats[seat]!.leader ? " leader" : " other"} ` +
    `${seconds(at)}+${seconds(length)}`
  return `${mode}: ${faults.map(one).join(", ")}`
}
