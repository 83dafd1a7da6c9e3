import { launch } from "./workspace.js"

/** `npm start`: the bank ledger's demo. */
export const main = (args) => launch("apps/bank-ledger", ["demo", ...args])
