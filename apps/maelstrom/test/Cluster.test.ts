/**
 * Whole clusters under the lin-kv workload: what their clients saw must be what one store could have done.
 */
import { assert, describe, it } from "@effect/vitest"
import { History, Linearizability, Models, Seeded } from "@synod/simulator"
import { Duration, Effect, Exit, Scope } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { client, inProcess, Maelstrom, program } from "./Maelstrom.js"

const namesOf = (size: number) => Array.from({ length: size }, (_, i) => `n${i + 1}`)

const check = (recorder: History.Recorder, seed: number) => {
  const history = recorder.history()
  const verdict = Linearizability.check(Models.register(), history)
  const message = `seed ${seed}: ${JSON.stringify(verdict._tag === "NotLinearizable" ? verdict.culprit : {})}`
  assert.strictEqual(verdict._tag, "Linearizable", message)
  return history.filter(({ outcome }) => outcome === "ok").length
}

describe("a cluster", () => {
  for (const size of [1, 3, 5]) {
    it.scopedLive(`of ${size} answers whoever is asked`, () =>
      Effect.gen(function* () {
        // What they answer is looked at here, not how soon: on a busy machine an election may take longer than Maelstrom waits.
        const maelstrom = new Maelstrom(namesOf(size), inProcess(Duration.seconds(20)))
        yield* Effect.forEach(maelstrom.names, (name) => maelstrom.start(name))
        for (const [i, name] of maelstrom.names.entries()) {
          yield* maelstrom.answer(name, { type: "write", key: "k", value: i })
          for (const other of maelstrom.names) {
            const answer = yield* maelstrom.answer(other, { type: "read", key: "k" })
            assert.deepStrictEqual(answer, { type: "read_ok", value: i })
          }
        }
      })
    )
  }

  it.scopedLive(
    "is one store while links are cut and healed, and goes on in the end",
    () =>
      Effect.gen(function* () {
        const seed = 20
        const seeded = Seeded.make(seed)
        const maelstrom = new Maelstrom(namesOf(5), inProcess())
        yield* Effect.forEach(maelstrom.names, (name) => maelstrom.start(name))
        const recorder = History.recorder(() => performance.now())
        const clients = 6
        const operations = 40
        // The links are cut otherwise after every so many operations, and whole for the last two parts of twelve.
        const part = (clients * operations) / 12
        let begun = 0
        const before = () => {
          const cut = begun >= 10 * part ? whole : cuts[(begun / part) % cuts.length]
          if (begun++ % part === 0) maelstrom.isCut = cut!(seeded.shuffle(maelstrom.names))
        }
        yield* Effect.forEach(
          namesOf(clients),
          (_, i) =>
            client(maelstrom, {
              name: `c${i + 1}`,
              operations,
              seeded: seeded.fork(`c${i}`),
              recorder,
              keys: 3,
              nodes: maelstrom.names,
              before
            }),
          { concurrency: "unbounded" }
        )
        const answered = check(recorder, seed)
        assert.isAbove(answered, (clients * operations) / 4)
        assert.isAbove(maelstrom.counts.cut, 100)
      }),
    120_000
  )

  it.scopedLive(
    "of real processes loses nothing when one of them is killed, nor when all are, and started again on their journals",
    () =>
      Effect.gen(function* () {
        const seed = 3
        const seeded = Seeded.make(seed)
        const data = yield* Effect.acquireRelease(
          Effect.sync(() => mkdtempSync(join(tmpdir(), "synod-maelstrom-"))),
          (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
        )
        const maelstrom = new Maelstrom(namesOf(3), program({ SYNOD_MAELSTROM_DATA: data }))
        const start = (names: ReadonlyArray<string>) =>
          Effect.gen(function* () {
            const scope = yield* Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
            yield* Effect.forEach(names, (name) => Scope.extend(maelstrom.start(name), scope), {
              concurrency: "unbounded"
            })
            return scope
          })
        const recorder = History.recorder(() => performance.now())
        const load = (part: string, nodes: ReadonlyArray<string>) =>
          Effect.forEach(
            namesOf(4),
            (_, i) =>
              client(maelstrom, {
                name: `c${i + 1}`,
                operations: 40,
                seeded: seeded.fork(`${part}/${i}`),
                recorder,
                keys: 3,
                nodes,
                before: () => undefined
              }),
            { concurrency: "unbounded" }
          )
        const victim = yield* start(["n1"])
        const others = yield* start(["n2", "n3"])
        yield* load("all of them", maelstrom.names)
        yield* Scope.close(victim, Exit.void)
        yield* load("two of three", ["n2", "n3"])
        yield* Scope.close(others, Exit.void)
        yield* start(maelstrom.names)
        yield* load("all again", maelstrom.names)
        assert.isAbove(check(recorder, seed), 240)
      }),
    120_000
  )
})

// Fixtures

type Cut = (src: string, dest: string) => boolean

const whole = (): Cut => () => false

const cuts: ReadonlyArray<(names: ReadonlyArray<string>) => Cut> = [
  (names) => {
    const few = new Set(names.slice(0, Math.floor(names.length / 2)))
    return (src, dest) => few.has(src) !== few.has(dest)
  },
  ([lonely]) =>
    (src, dest) =>
      src === lonely || dest === lonely,
  ([deaf]) =>
    (_src, dest) =>
      dest === deaf,
  whole,
  // Everybody hears one node, and the others don't hear each other.
  ([middle]) =>
    (src, dest) =>
      src !== middle && dest !== middle
]
