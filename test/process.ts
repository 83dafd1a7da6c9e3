import { execFile } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { stripVTControlCharacters } from "node:util"
import { onTestFinished } from "vitest"

/** The root of the repository. */
export const root = fileURLToPath(new URL("..", import.meta.url))

interface Ended {
  readonly code: number
  /** What was printed on both channels, without colours. */
  readonly output: string
}

interface Options {
  readonly cwd?: string
  readonly env?: Record<string, string>
}

/** Runs a program to its end. */
export const run = (program: string, args: ReadonlyArray<string>, options: Options = {}): Promise<Ended> =>
  new Promise((resolve) => {
    const env = { ...process.env, ...options.env }
    const settings = { cwd: options.cwd ?? root, env, maxBuffer: 16 * 1024 * 1024 }
    const child = execFile(program, args, settings, (error, stdout, stderr) =>
      resolve({
        code: child.exitCode ?? 1,
        output: stripVTControlCharacters(stdout + stderr || (error?.message ?? ""))
      })
    )
  })

/** Runs Node, the one that runs the tests. */
export const runNode = (args: ReadonlyArray<string>, options?: Options): Promise<Ended> =>
  run(process.execPath, args, options)

/** Writes files into a folder that is gone when the test ends, and lends it the installed packages named. */
export const folderWith = (files: Record<string, string>, installed: ReadonlyArray<string> = []): string => {
  const folder = mkdtempSync(join(tmpdir(), "synod-gate-"))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  mkdirSync(join(folder, "node_modules"))
  for (const name of installed) {
    mkdirSync(dirname(join(folder, "node_modules", name)), { recursive: true })
    symlinkSync(join(root, "node_modules", name), join(folder, "node_modules", name))
  }
  return folder
}
