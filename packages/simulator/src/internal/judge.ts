import type * as History from "../History.js"
import * as Linearizability from "../Linearizability.js"
import type * as Model from "../Model.js"
import * as Shrink from "../Shrink.js"
import * as Timeline from "../Timeline.js"
import { Violation } from "../Violation.js"
import type { World } from "../World.js"

/** Configurations that the check of a history may look at: some seconds of work at most. */
const budget = { configurations: 300_000 } as const

/** Shrinking is for the reader; a user's machine may take a millisecond a step. */
const shrinking = { checks: 100, budget: { configurations: 20_000 } } as const

/** @internal */
export type Verdict = "linearizable" | "not judged"

/**
 * Holds the history of all clients against the model. Throws a violation, with its picture, when there is no order.
 *
 * @internal
 */
export const judge = (
  world: World,
  machine: string,
  model: Model.Model<any> | "none",
  history: History.History
): Verdict => {
  if (model === "none") return "not judged"
  const verdict = Linearizability.check<any>(model, history, budget)
  if (verdict._tag === "Linearizable") return "linearizable"
  if (verdict._tag === "Unknown") return "not judged"
  const { culprit } = verdict
  const title = `${machine}, seed ${world.seed}`
  const shrunk = Shrink.shrink<any>(model, verdict, shrinking)
  throw new Violation({
    property: "linearizable",
    sentence: `no order of all calls explains what client ${culprit.client} was answered: ${model.describe(culprit)}`,
    time: world.now(),
    picture: {
      text: Timeline.text(Timeline.failure<any>(model, title, shrunk)),
      html: Timeline.html(Timeline.failure<any>(model, title, shrunk, history))
    }
  })
}
