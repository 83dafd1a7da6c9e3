/**
 * What a client process does, in a file: a line for each call before it is made, and one for each outcome. So it is known also
 * of a process that was killed.
 *
 * ```
 * {"i":"c1.7","c":"c1-3","k":"4/r0","f":"write","in":"c1-3.2","call":1.5}
 * {"i":"c1.7","ok":true,"out":null,"ret":9.25}
 * ```
 */
import type { History } from "@synod/simulator"
import { openSync, writeSync } from "node:fs"

/** One call; `end` may come once more for one whose outcome was not known at first. */
export interface Diary {
  readonly call: (operation: Pick<History.Operation, "client" | "key" | "name" | "input">) => string
  readonly end: (id: string, outcome: "ok" | "failed", output: unknown) => void
}

/** Milliseconds on a clock that all processes of a machine share. */
export const now = (): number => Number(process.hrtime.bigint()) / 1e6

/** Adds to the file. `name` must be that of no other process, also none before. */
export const make = (file: string, name: string): Diary => {
  const descriptor = openSync(file, "a")
  const write = (line: object): void => void writeSync(descriptor, `${JSON.stringify(line)}\n`)
  let calls = 0
  return {
    call: ({ client, input, key, name: f }) => {
      const i = `${name}.${calls++}`
      write({ i, c: client, k: key, f, in: input, call: now() })
      return i
    },
    end: (i, outcome, output) => write({ i, ok: outcome === "ok", out: output, ret: now() })
  }
}

type Line =
  | {
      readonly i: string
      readonly c: string
      readonly k: string
      readonly f: string
      readonly in: unknown
      readonly call: number
    }
  | { readonly i: string; readonly ok: boolean; readonly out: unknown; readonly ret: number }

/** The operations that some lines tell of, in the order of their calls; a last line that is torn is left out. */
export const read = (text: string): History.History => {
  const operations = new Map<string, History.Operation>()
  for (const json of text.slice(0, text.lastIndexOf("\n") + 1).split("\n")) {
    if (json === "") continue
    const line = JSON.parse(json) as Line
    if ("call" in line) {
      const { c, call, f, i, in: input, k } = line
      operations.set(i, { client: c, key: k, name: f, input, output: null, call, ret: null, outcome: "unknown" })
      continue
    }
    const called = operations.get(line.i)
    if (called === undefined) continue
    operations.set(line.i, { ...called, output: line.out, ret: line.ret, outcome: line.ok ? "ok" : "failed" })
  }
  return [...operations.values()].sort((a, b) => a.call - b.call)
}
