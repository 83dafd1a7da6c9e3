/** Machines on SQL tables: what belongs to one transaction, and what a snapshot replaces as a whole. */
import type { Mutant } from "./Mutant.js"

const machine = "packages/sql-machine/src/internal/machine.ts"

export const tables: ReadonlyArray<Mutant> = [
  {
    name: "slot-outside-of-transaction",
    bug: "Rows are committed, and then how far they reach: after a crash in between the machine stands a slot too low, with a state that is not of that slot.",
    edits: [
      {
        file: machine,
        find: "        applied.run(place.slot, place.time)\n        database.commit()\n",
        replace: "        database.commit()\n        applied.run(place.slot, place.time)\n"
      }
    ],
    tier: "world"
  },
  {
    name: "sessions-lost-with-tables",
    bug: "The tables of a snapshot are taken over without the sessions in them: what comes again is applied again.",
    edits: [
      {
        file: machine,
        find: "Tables.takeOver(connection, owner)",
        replace: 'Tables.takeOver(connection, owner); connection.exec("DELETE FROM synod_session")'
      }
    ],
    tier: "world"
  },
  {
    name: "adopted-in-name-only",
    bug: "A machine says that it stands where its snapshot does before the tables are in place.",
    edits: [{ file: machine, find: "            incoming.adopt()\n", replace: "" }],
    tier: "world"
  },
  {
    name: "failed-command-leaves-rows",
    bug: "The savepoint of a command that failed is released instead of gone back to: what it wrote before stays.",
    edits: [{ file: machine, find: "statements.end(succeeded)", replace: "statements.end(true)" }],
    tier: "world"
  }
]
