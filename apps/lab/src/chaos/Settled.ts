/** After all is healed: the replicas come to the same slot, and hold the same there. */
import { Data, Effect, Option, Schedule } from "effect"
import type { Cluster } from "./Cluster.js"

/** Something that must never be, in a sentence. */
export class Wrong extends Data.TaggedError("Wrong")<{ readonly sentence: string }> {
  override get message() {
    return this.sentence
  }
}

/** How long replicas may take to start, and to come to the same slot: a machine with too much to do starts a process in seconds. */
const bound = "60 seconds"

/** Looks again after so many milliseconds. */
const pause = 50

/** Waits until each has answered. */
export const running = (cluster: Cluster): Effect.Effect<void, Wrong> =>
  Effect.forEach(
    cluster.nodes,
    (node) => Effect.repeat(cluster.digest(node), { until: Option.isSome, schedule: Schedule.spaced(pause) }),
    { concurrency: "unbounded", discard: true }
  ).pipe(
    Effect.timeoutFail({
      duration: bound,
      onTimeout: () => new Wrong({ sentence: `NOT RUNNING: a replica did not start within ${bound}.` })
    })
  )

/** The slot that all have applied, with equal digests. */
export const equal = (cluster: Cluster): Effect.Effect<number, Wrong> => {
  const digests = new Map<number, { readonly node: number; readonly digest: string }>()
  const look = Effect.gen(function* () {
    const slots = new Set<number>()
    for (const node of cluster.nodes) {
      const found = yield* cluster.digest(node)
      if (Option.isNone(found)) return Option.none<number>()
      const { appliedThrough, digest } = found.value
      const other = digests.get(appliedThrough)
      if (other !== undefined && other.digest !== digest) {
        const sentence = `DIVERGED: after slot ${appliedThrough} replica ${other.node} has digest ${other.digest} and replica ${node} ${digest}.`
        return yield* new Wrong({ sentence })
      }
      digests.set(appliedThrough, { node, digest })
      slots.add(appliedThrough)
    }
    return slots.size === 1 ? Option.fromIterable(slots) : Option.none<number>()
  })
  return look.pipe(
    Effect.repeat(Schedule.spaced(pause).pipe(Schedule.zipRight(Schedule.recurUntil(Option.isSome<number>)))),
    Effect.map(Option.getOrThrow),
    Effect.timeoutFail({
      duration: bound,
      onTimeout: () => new Wrong({ sentence: `NOT EQUAL: the replicas did not come to the same slot within ${bound}.` })
    })
  )
}

/** These texts as every replica has them after that slot; all must have the same. */
export const texts = (cluster: Cluster, names: ReadonlyArray<string>, slot: number) =>
  Effect.gen(function* () {
    const found = new Map<string, string | null>()
    for (const node of cluster.nodes) {
      const all = yield* Effect.forEach(names, (name) => cluster.read(node, name, slot), { concurrency: "unbounded" })
      for (const [i, name] of names.entries()) {
        if (found.has(name) && found.get(name) !== all[i]) {
          return yield* new Wrong({ sentence: `DIVERGED: replica ${node} has another text ${name} than the others.` })
        }
        found.set(name, all[i]!)
      }
    }
    return found
  }).pipe(
    Effect.mapError((error) =>
      error._tag === "Wrong" ? error : new Wrong({ sentence: `A text can't be read back: ${error.message}.` })
    )
  )
