/** What a run came to, on one screen. */
import type { Outcome } from "./Cycle.js"
import * as Plan from "./Plan.js"

export interface Summary {
  readonly add: (outcome: Outcome) => void
  readonly lines: (keys: number) => ReadonlyArray<string>
}

/** The worst of something, and when it was. */
interface Worst {
  readonly milliseconds: number
  readonly cycle: number
}

export const make = (): Summary => {
  const kinds = new Map<Plan.Kind, number>()
  const modes = new Map<Plan.Mode, number>()
  const outcomes = { ok: 0, failed: 0, unknown: 0 }
  const worst = new Map<string, Worst>()
  const backs: Array<number> = []
  let cycles = 0
  let commands = 0
  let applied = 0
  let withdrawn = 0
  let slot = 0

  const note = (what: string, next: Worst): void => {
    const known = worst.get(what)
    if (known === undefined || known.milliseconds < next.milliseconds) worst.set(what, next)
  }
  const add = (outcome: Outcome): void => {
    const { cycle, history, plan } = outcome
    cycles++
    modes.set(plan.mode, (modes.get(plan.mode) ?? 0) + 1)
    for (const { kind } of plan.faults) kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
    for (const operation of history) outcomes[operation.outcome]++
    commands += history.filter(({ name, outcome }) => name !== "read" && outcome === "ok").length
    applied += outcome.applied
    withdrawn += outcome.withdrawn
    slot = outcome.slot
    backs.push(outcome.back)
    note(plan.mode === "beyond" ? "beyond" : "promised", { milliseconds: outcome.gap, cycle })
    note("back", { milliseconds: outcome.back, cycle })
  }
  const at = (what: string): string => {
    const known = worst.get(what)
    return known === undefined ? "none" : `${seconds(known.milliseconds)} (cycle ${known.cycle})`
  }
  return {
    add,
    lines: (keys) => [
      `  cycles        ${cycles}: ${[...modes].map(([mode, count]) => `${count} ${mode}`).join(", ")}`,
      `  faults        ${[...kinds]
        .sort(([, a], [, b]) => b - a)
        .map(([kind, count]) => `${kind} ${count}`)
        .join(", ")}`,
      `  operations    ${whole(outcomes.ok)} answered (${whole(commands)} of them commands, in ${whole(slot)} slots), ` +
        `${whole(outcomes.failed)} refused, ${whole(outcomes.unknown)} of unknown outcome`,
      `  asked later   ${whole(applied + withdrawn)}: ${whole(applied)} had been applied, ${whole(withdrawn)} never will be`,
      `  linearizable  all ${whole(keys)} registers and texts`,
      `  acknowledged  lost 0, applied twice 0, false failures 0, on every replica; digests equal after each cycle`,
      `  no answer     at most ${at("promised")} while a majority was well, ${at("beyond")} otherwise`,
      `  back          after ${seconds(median(backs))} in the middle, at most ${at("back")}, until each client had a command answered`
    ]
  }
}

export const line = (outcome: Outcome, cycles: number): string => {
  const { back, cycle, gap, history, plan } = outcome
  const unknown = history.filter((operation) => operation.outcome === "unknown").length
  return (
    `cycle ${String(cycle).padStart(String(cycles).length)} of ${cycles}  ${whole(history.length)} operations, ${unknown} unknown, ` +
    `no answer for ${seconds(gap)}, back in ${seconds(back)}  ${Plan.describe(plan)}`
  )
}

const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(2)} s`

const whole = (number: number): string => number.toLocaleString("en")

const median = (values: ReadonlyArray<number>): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0
