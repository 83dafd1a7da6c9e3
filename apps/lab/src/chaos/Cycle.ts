/**
 * One cycle: load, faults, all healed, and then everything that was promised is held against what is there.
 */
import type { History } from "@synod/simulator"
import { Clock, Effect } from "effect"
import * as Account from "./Account.js"
import type { Clients } from "./Clients.js"
import * as Diary from "./Diary.js"
import * as Nemesis from "./Nemesis.js"
import type * as Plan from "./Plan.js"
import * as Settled from "./Settled.js"

export interface Outcome {
  readonly cycle: number
  readonly plan: Plan.Plan
  /** What clients saw, with what all replicas had in the end as the last reads. */
  readonly history: History.History
  /** Texts as they are in the end, by name. */
  readonly texts: ReadonlyMap<string, string | null>
  readonly slot: number
  /** Unknown outcomes that were resolved. */
  readonly applied: number
  readonly withdrawn: number
  /** Milliseconds: the longest time without an answered command under load, and from healing until all clients had one. */
  readonly gap: number
  readonly back: number
  readonly wrong: ReadonlyArray<string>
}

/**
 * How long a command that every client makes may take, once all replicas run again and hear each other, in milliseconds: many
 * times what it takes where processes needn't wait for a core, and far less than for ever.
 */
const back = 30_000

export const run = (
  cycle: number,
  options: {
    readonly site: Nemesis.Site
    readonly world: Plan.World
    readonly plan: Plan.Plan
    readonly told: (what: string) => void
  }
) =>
  Effect.gen(function* () {
    const { plan, site, told, world } = options
    const { clients, cluster } = site
    const begun = Diary.now()
    yield* clients.begin(cycle)
    const started = yield* Clock.currentTimeMillis
    yield* Nemesis.run(plan, site, told)
    yield* Effect.sleep(Math.max(0, started + world.seconds * 1000 - (yield* Clock.currentTimeMillis)))
    yield* Nemesis.heal(site)
    yield* Settled.running(cluster)
    told("all is healed")
    const healed = yield* Clock.currentTimeMillis
    yield* Effect.timeoutFail(clients.probe, {
      duration: back,
      onTimeout: () =>
        new Settled.Wrong({ sentence: `NOT LIVE: no command was answered within ${back} ms after healing.` })
    })
    const isBack = yield* Clock.currentTimeMillis
    const until = Diary.now()
    const ended = yield* endOf(clients)
    const slot = yield* Settled.equal(cluster)
    const seen = yield* clients.history
    const names = [...new Set(seen.map(({ key }) => key))]
    const call = Diary.now()
    const texts = yield* Settled.texts(cluster, names, slot)
    const ret = Diary.now()
    const reads = [...texts].map(([key, output]): History.Operation => ({
      client: "end",
      key,
      name: "read",
      input: null,
      output,
      call,
      ret,
      outcome: "ok"
    }))
    const wrong = [
      ...ended.wrong,
      ...names.flatMap((name) =>
        name.includes("/r")
          ? []
          : Account.audit(
              name,
              seen.filter(({ key }) => key === name),
              texts.get(name) ?? ""
            )
      )
    ]
    const outcome: Outcome = {
      cycle,
      plan,
      history: [...seen, ...reads],
      texts,
      slot,
      applied: ended.applied,
      withdrawn: ended.withdrawn,
      gap: longestGap(seen, begun, until),
      back: isBack - healed,
      wrong
    }
    return outcome
  })

/** How long clients may take to hear of all that is under way, and of all whose outcome was unknown. */
const patience = "30 seconds"

const endOf = (clients: Clients) =>
  Effect.timeoutFail(clients.end, {
    duration: patience,
    onTimeout: () =>
      new Settled.Wrong({
        sentence: `NOT LIVE: what became of some commands was not told within ${patience} after healing.`
      })
  })

/** The longest time between two answered commands, in milliseconds. */
const longestGap = (history: History.History, begun: number, until: number): number => {
  const answers = history.flatMap(({ name, outcome, ret }) =>
    name !== "read" && outcome === "ok" && ret! < until ? [ret!] : []
  )
  const times = [begun, ...answers.sort((a, b) => a - b), until]
  return times.reduce((longest, time, i) => Math.max(longest, time - (times[i - 1] ?? time)), 0)
}
