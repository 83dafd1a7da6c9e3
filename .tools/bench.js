import { launch } from "./workspace.js"

/** `npm run bench`: the benchmarks. */
export const main = (args) => launch("apps/bench", args)
