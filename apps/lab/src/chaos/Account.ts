/**
 * Nothing acknowledged lost, nothing applied twice: each item that was appended is looked for in the text that all replicas
 * have in the end. It needs no search, and says so in plain words.
 */
import type { History } from "@synod/simulator"

/** What is wrong with a text, given all that was done to it; nothing, if it is as it must be. */
export const audit = (key: string, operations: History.History, text: string): ReadonlyArray<string> => {
  const times = new Map<string, number>()
  for (const item of text.split(";").slice(0, -1)) times.set(`${item};`, (times.get(`${item};`) ?? 0) + 1)
  const wrong: Array<string> = []
  for (const { client, input, name, outcome } of operations) {
    if (name !== "append") continue
    const item = String(input)
    const found = times.get(item) ?? 0
    times.delete(item)
    const said = `${item} of ${client} in ${key}`
    if (found > 1) wrong.push(`APPLIED TWICE: ${said} is there ${found} times.`)
    else if (found === 0 && outcome === "ok") wrong.push(`LOST: ${said} was acknowledged and is not there.`)
    else if (found === 1 && outcome === "failed")
      wrong.push(`A FALSE FAILURE: ${said} was said not to be applied, and is there.`)
  }
  for (const item of times.keys()) wrong.push(`OUT OF NOWHERE: ${item} in ${key} was never asked for.`)
  return wrong
}
