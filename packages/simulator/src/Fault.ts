/**
 * What may go wrong in a simulated world, how often, and how often it did.
 *
 * @since 0.1.0
 */

/**
 * Every fault has a name, a unit for its rate, and a sentence.
 *
 * @since 0.1.0
 * @category models
 */
export const faults = {
  loss: { unit: "message", what: "a message never arrives" },
  duplication: { unit: "message", what: "a message arrives twice" },
  delay: { unit: "message", what: "a message arrives long after those that were sent later" },
  reordering: { unit: "message", what: "a message overtakes the ones before it" },
  corruption: { unit: "message", what: "a bit of a message is flipped on its way" },
  clog: { unit: "second", what: "a link holds everything back for a while, then delivers it all" },
  halves: { unit: "second", what: "two sides don't hear each other" },
  oneWay: { unit: "second", what: "one direction of one link is dead" },
  ring: { unit: "second", what: "every node hears its two neighbours only" },
  isolate: { unit: "second", what: "one node hears nobody" },
  quorumLoss: { unit: "second", what: "all links but those of one node are dead, and it is not the leader" },
  constrained: { unit: "second", what: "as quorumLoss, and the old leader is cut off altogether" },
  chained: { unit: "second", what: "the link between two nodes is dead, a third one hears both" },
  crash: { unit: "action", what: "a replica loses its memory between two actions, also between persist and send" },
  outage: { unit: "second", what: "all replicas crash at once" },
  handOver: { unit: "second", what: "a leader hands over, and perhaps stops then" },
  pause: { unit: "second", what: "a replica stands still for seconds, and goes on with old timers" },
  skew: { unit: "start", what: "a replica's clock runs up to a tenth too fast or too slow" },
  jump: { unit: "second", what: "a replica's wall clock jumps, forwards or back" },
  lostWrites: { unit: "crash", what: "writes that were never synced are gone after a crash" },
  tornWrite: { unit: "crash", what: "a write is half there after a crash" },
  bitFlip: { unit: "second", what: "a bit at rest on a disk flips" },
  readError: { unit: "read", what: "a disk can't read" },
  syncError: { unit: "write", what: "an fsync fails, and what it should have kept is dropped" },
  syncLie: { unit: "write", what: "an fsync fails once, and the next one claims success for pages that are gone" },
  diskFull: { unit: "second", what: "a disk takes no more writes for a while" },
  slowDisk: { unit: "second", what: "a disk takes long for every write for a while" },
  wipe: { unit: "second", what: "a journal is gone for good, and its replica comes back without it" },
  reconfigure: { unit: "second", what: "other members are asked for, and others to decide" }
} as const satisfies Record<string, { readonly unit: Unit; readonly what: string }>

/**
 * What a rate counts against: a probability for each of them, or an expected number a simulated second.
 *
 * @since 0.1.0
 * @category models
 */
export type Unit = "message" | "action" | "start" | "crash" | "read" | "write" | "second"

/**
 * @since 0.1.0
 * @category models
 */
export type Fault = keyof typeof faults

/**
 * How often each fault is to happen; one that is not named does not.
 *
 * @since 0.1.0
 * @category models
 */
export type Rates = { readonly [fault in Fault]?: number }

/**
 * Counts what happened.
 *
 * @since 0.1.0
 * @category models
 */
export interface Counts {
  readonly fired: (fault: Fault) => void
  readonly of: (fault: Fault) => number
  /** In the order of {@link faults}, those with a rate or a count. */
  readonly all: (rates: Rates) => ReadonlyArray<readonly [Fault, number]>
  /** Faults that have a rate and never happened. */
  readonly never: (rates: Rates) => ReadonlyArray<Fault>
}

/**
 * @since 0.1.0
 * @category constructors
 */
export const counts = (): Counts => {
  const count = new Map<Fault, number>()
  const of = (fault: Fault): number => count.get(fault) ?? 0
  const wanted = (rates: Rates, fault: Fault): boolean => (rates[fault] ?? 0) > 0
  return {
    fired: (fault) => void count.set(fault, of(fault) + 1),
    of,
    all: (rates) =>
      names.filter((name) => wanted(rates, name) || of(name) > 0).map((name) => [name, of(name)] as const),
    never: (rates) => names.filter((name) => wanted(rates, name) && of(name) === 0)
  }
}

/**
 * All faults, in the order in which reports list them.
 *
 * @since 0.1.0
 * @category constants
 */
export const names: ReadonlyArray<Fault> = Object.keys(faults) as Array<Fault>
