/** Whether another system is there to be measured. */
import * as Fs from "node:fs"
import * as Path from "node:path"

/** Nothing if there is such a program; otherwise a sentence that says which package of Debian has it. */
export const installed = (system: string, program: string, ...packages: ReadonlyArray<string>): string | undefined => {
  const places = program.includes("/")
    ? [program]
    : (process.env.PATH ?? "").split(Path.delimiter).map((directory) => Path.join(directory, program))
  return places.some((file) => Fs.existsSync(file))
    ? undefined
    : `NOT MEASURED: ${system} is not installed; on Debian: apt-get install ${packages.join(" ")}`
}
