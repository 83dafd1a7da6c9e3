/**
 * What clients and browsers share with replicas, the definition of a machine, leads to no SQLite and nothing of Node.
 */
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { assert, it } from "vitest"

it("a machine's definition imports neither SQLite nor Node", () => {
  const seen = new Set<string>()
  const outside = new Set<string>()
  const visit = (file: URL): void => {
    if (seen.has(file.href)) return
    seen.add(file.href)
    const source = readFileSync(fileURLToPath(file), "utf8")
    for (const [, what, from] of source.matchAll(/^(import(?! type)|export)[^"]*? from "([^"]+)"/gm)) {
      if (what === undefined || from === undefined) continue
      if (from.startsWith(".")) visit(new URL(from.replace(/\.js$/, ".ts"), file))
      else outside.add(from)
    }
  }
  visit(new URL("../src/SqlMachine.ts", import.meta.url))
  assert.isAbove(seen.size, 5)
  assert.deepStrictEqual(
    [...outside].filter((name) => !/^(effect|@effect\/(sql|experimental|rpc)|@synod\/state-machine)(\/|$)/.test(name)),
    []
  )
})
