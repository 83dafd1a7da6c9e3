/** A run: replicas, clients and proxies are started once, and meet one cycle after another. */
import { History, Seeded } from "@synod/simulator"
import { Data, Effect, Fiber, type Scope } from "effect"
import { appendFileSync, writeFileSync } from "node:fs"
import * as Path from "node:path"
import { type Checked, modelOf } from "./checker.js"
import * as Child from "./Child.js"
import * as Clients from "./Clients.js"
import * as Cluster from "./Cluster.js"
import * as Cycle from "./Cycle.js"
import * as Diary from "./Diary.js"
import * as Limit from "./Limit.js"
import * as Network from "./Network.js"
import * as Plan from "./Plan.js"
import * as Ports from "./Ports.js"
import * as Settled from "./Settled.js"

export interface Options {
  readonly seed: number
  readonly from: number
  readonly cycles: number
  readonly replicas: number
  /** Load and faults of each cycle. */
  readonly seconds: number
  /** Where journals, logs and histories are. */
  readonly directory: string
  /** Modules that replicas and clients load before their own. */
  readonly imports: ReadonlyArray<string>
  readonly told: (line: string) => void
  /** A cycle ended, and nothing was wrong so far. */
  readonly passed: (outcome: Cycle.Outcome) => void
}

/** What must never be was. */
export class Failed extends Data.TaggedError("Failed")<{
  readonly cycle: number
  readonly plan: Plan.Plan
  readonly wrong: ReadonlyArray<string>
  /** Histories that were saved. */
  readonly files: ReadonlyArray<string>
}> {}

export const planOf = (options: Pick<Options, "replicas" | "seconds" | "seed">, cycle: number, canFill: boolean) =>
  Plan.draw(Seeded.make(options.seed, `cycle ${cycle}`), { ...options, canFill })

/** Succeeds with how many keys were linearizable, or fails with the first cycle in which something was wrong. */
export const run = (options: Options): Effect.Effect<number, Failed, Scope.Scope> =>
  Effect.gen(function* () {
    const { cycles, directory, from, imports, passed, replicas, seconds, seed, told } = options
    const nodes = Array.from({ length: replicas }, (_, i) => i + 1)
    const ports = new Map((yield* Ports.free(replicas)).map((port, i) => [nodes[i]!, port]))
    const network = yield* Network.make([...nodes, ...Clients.names], ports)
    const cluster = yield* Cluster.make({ directory, ports, network, imports })
    const clients = yield* Clients.make({ directory, nodes, network, seed, imports })
    const checker = yield* Child.start({ program: "checker", settings: {}, log: Path.join(directory, "checker.log") })
    const site = { cluster, clients, network }
    const world: Plan.World = { replicas, seconds, canFill: yield* Limit.isThere }
    told(`processes ${[...cluster.pids(), ...clients.pids(), checker.pid].join(", ")}`)
    if (!world.canFill) told("There is no prlimit here: no disk will be full.")

    const failed = (cycle: number, plan: Plan.Plan, wrong: ReadonlyArray<string>, history: History.History) =>
      new Failed({ cycle, plan, wrong, files: save(directory, cycle, history) })
    /** The texts of all cycles, as they must stay. */
    const texts = new Map<string, string | null>()
    /** When which fault came to whom, on the clock of the histories. */
    const log = (what: string): void =>
      appendFileSync(Path.join(directory, "faults.log"), `${Diary.now().toFixed(0)} ${what}\n`)
    let keys = 0
    /** Looks at one history while the next one is made. */
    const check = ({ cycle, history, plan }: Cycle.Outcome) =>
      Effect.gen(function* () {
        const checked = (yield* Effect.orDie(checker.ask("check", history))) as Checked
        keys += checked.keys
        if (checked.verdict === "NotLinearizable") return yield* failed(cycle, plan, [checked.sentence], history)
        if (checked.verdict === "Unknown") told(`cycle ${cycle}: no verdict on ${checked.sentence}`)
      })
    let checking: Fiber.Fiber<void, Failed> = yield* Effect.fork(Effect.void as Effect.Effect<void, Failed>)

    // All have started when every client has an answer.
    yield* Effect.orDie(Effect.zipRight(Settled.running(cluster), clients.probe))
    for (let cycle = from; cycle < from + cycles; cycle++) {
      const plan = planOf(options, cycle, world.canFill)
      log(`cycle ${cycle}: ${Plan.describe(plan)}`)
      const outcome = yield* Cycle.run(cycle, { site, world, plan, told: log }).pipe(
        Effect.catchTags({
          Wrong: ({ sentence }) =>
            Effect.flatMap(clients.history, (seen) => failed(cycle, plan, [sentence, ...cluster.wrong()], seen)),
          Gone: ({ message }) => failed(cycle, plan, [message], [])
        })
      )
      const wrong = [...outcome.wrong, ...cluster.wrong()]
      if (wrong.length > 0) return yield* failed(cycle, plan, wrong, outcome.history)
      for (const [name, text] of outcome.texts) texts.set(name, text)
      yield* Fiber.join(checking)
      checking = yield* Effect.fork(check(outcome))
      passed(outcome)
    }
    yield* Fiber.join(checking)
    yield* remembered(cluster, texts).pipe(
      Effect.catchTag("Wrong", ({ sentence }) => {
        const last = from + cycles - 1
        return failed(last, planOf(options, last, world.canFill), [sentence], [])
      })
    )
    return keys
  })

/** How many texts are read at once. */
const piece = 256

/** What every replica had at the end of each cycle, it still has. */
const remembered = (cluster: Cluster.Cluster, texts: ReadonlyMap<string, string | null>) =>
  Effect.gen(function* () {
    const slot = yield* Settled.equal(cluster)
    const names = [...texts.keys()]
    for (let i = 0; i < names.length; i += piece) {
      const found = yield* Settled.texts(cluster, names.slice(i, i + piece), slot)
      for (const [name, text] of found) {
        if (text === texts.get(name)) continue
        return yield* new Settled.Wrong({ sentence: `LOST LATER: ${name} is not what it was when its cycle ended.` })
      }
    }
  })

/** A file for each model, as `check-history` reads them. */
const save = (directory: string, cycle: number, history: History.History): ReadonlyArray<string> =>
  (["register", "append"] as const).flatMap((model) => {
    const operations = history.filter(({ key }) => modelOf(key) === model)
    if (operations.length === 0) return []
    const file = Path.join(directory, `cycle-${cycle}.${model}.jsonl`)
    writeFileSync(file, History.format(operations))
    return [file]
  })
