import { rmSync } from "node:fs"
import { join } from "node:path"
import { members, root } from "./workspace.js"

const outputs = ["dist", ".turbo", "coverage", "test/tsconfig.tsbuildinfo", "tsconfig.tsbuildinfo"]

/** `npm run clean`: removes what was built and measured, and leaves what was installed. */
export const main = () => {
  for (const folder of [".", "test", ...members()]) {
    for (const output of outputs) rmSync(join(root, folder, output), { recursive: true, force: true })
  }
  return 0
}
