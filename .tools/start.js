import { compile, install, runNode, say, seconds } from "./workspace.js"

const app = "apps/bank-ledger"

/** `npm start`: installs and builds what is missing, then runs the bank ledger's demo. */
export const main = async (args) => {
  if (!(await install())) return 1
  const start = performance.now()
  say("Building the packages and the bank ledger, as far as they changed.")
  const code = await compile([app])
  if (code !== 0) {
    say("The build failed: the compiler's errors are above.")
    return code
  }
  say(`Built in ${seconds(start)}.`)
  say("")
  return runNode(`${app}/dist/bin.js`, ["demo", ...args])
}
