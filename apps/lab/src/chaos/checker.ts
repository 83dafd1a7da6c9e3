/** A process that looks whether histories are linearizable, so that the proxies need not wait for it. */
import { type History, Linearizability, Models } from "@synod/simulator"
import { serve } from "./Child.js"

export interface Checked {
  readonly verdict: "Linearizable" | "NotLinearizable" | "Unknown"
  readonly keys: number
  /** What no order explains, or why there is no verdict. */
  readonly sentence: string
}

/** Keys whose first letter is `r` are registers, all others are texts. */
export const modelOf = (key: string): "register" | "append" => (/\/r/.test(key) ? "register" : "append")

const check = (history: History.History): Checked => {
  let keys = 0
  for (const name of ["register", "append"] as const) {
    const model = Models.byName(name)
    const verdict = Linearizability.check(
      model,
      history.filter(({ key }) => modelOf(key) === name)
    )
    if (verdict._tag === "Linearizable") keys += verdict.orders.size
    else if (verdict._tag === "Unknown")
      return { verdict: verdict._tag, keys, sentence: `${verdict.partition}: ${verdict.reason}` }
    else {
      const { culprit, partition, states } = verdict
      const sentence = `NOT LINEARIZABLE: ${partition}: ${culprit.client} was answered ${model.describe(culprit)}, when it can only have been ${states.join(" or ")}.`
      return { verdict: verdict._tag, keys, sentence }
    }
  }
  return { verdict: "Linearizable", keys, sentence: "" }
}

if (process.send !== undefined) {
  serve({ check: (history: History.History) => Promise.resolve(check(history)) })
}
