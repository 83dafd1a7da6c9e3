import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, assert, it } from "vitest"

const here = fileURLToPath(new URL(".", import.meta.url))
// Beside the other tests, so that packages resolve as they do for them.
const directory = mkdtempSync(join(here, ".readme-"))
afterAll(() => rmSync(directory, { recursive: true }))

it("the README's smallest use runs as it stands", async () => {
  const readme = readFileSync(join(here, "../README.md"), "utf8")
  const text = /```ts\n([\s\S]*?)```/.exec(readme)![1]!
  const file = join(directory, "use.ts")
  writeFileSync(file, `${text}export { chosen }\n`)
  const { chosen } = (await import(/* @vite-ignore */ file)) as { readonly chosen: ReadonlyArray<string> }
  assert.deepStrictEqual(chosen, ["hello"])
})
