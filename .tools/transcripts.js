import { install, runNode, say } from "./workspace.js"

/** `npm run transcripts`: plays the transcripts; with `--write`, writes what came of them into their files. */
export const main = async (args) => {
  const unknown = args.find((arg) => arg !== "--write")
  if (unknown !== undefined) {
    say(`Expected --write or nothing, and found ${unknown}.`)
    return 2
  }
  if (!(await install())) return 1
  const env = { ...process.env, SYNOD_WRITE_TRANSCRIPTS: args.length > 0 ? "1" : "0" }
  const vitest = ["run", "--config", ".config/vitest.config.ts", "test/transcripts.test.ts"]
  return runNode("node_modules/vitest/vitest.mjs", vitest, { env })
}
