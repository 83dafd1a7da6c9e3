import { readdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import { root } from "./workspace.js"

/** `npm run clean`: removes what was built and measured, and leaves what was installed. */
export const main = () => {
  const members = ["packages", "apps"].flatMap((group) =>
    readdirSync(join(root, group)).map((name) => join(group, name))
  )
  const outputs = ["dist", ".turbo", "coverage", "test/tsconfig.tsbuildinfo", "tsconfig.tsbuildinfo"]
  for (const folder of [".", "test", ...members]) {
    for (const output of outputs) rmSync(join(root, folder, output), { recursive: true, force: true })
  }
  return 0
}
