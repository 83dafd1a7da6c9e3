/** All mutants, in the order in which they are run and listed. */
import { elections } from "./Elections.js"
import { feeds } from "./Feeds.js"
import { journals } from "./Journals.js"
import { leases } from "./Leases.js"
import { logs } from "./Logs.js"
import { memberships } from "./Memberships.js"
import { messages } from "./Messages.js"
import type { Mutant } from "./Mutant.js"
import { processes } from "./Processes.js"
import { promises } from "./Promises.js"
import { reads } from "./Reads.js"
import { registers } from "./Registers.js"
import { sessions } from "./Sessions.js"
import { snapshotting } from "./Snapshots.js"
import { tables } from "./Tables.js"

export const all: ReadonlyArray<Mutant> = [
  ...promises,
  ...logs,
  ...reads,
  ...leases,
  ...sessions,
  ...journals,
  ...snapshotting,
  ...tables,
  ...feeds,
  ...messages,
  ...elections,
  ...memberships,
  ...registers,
  ...processes
]
