import { launch } from "./workspace.js"

/** `npm run simulate`, `model-check`, `check-history`, `mutants`: the command lines of the simulator. */
export const main = (args) => launch("apps/lab", args)
