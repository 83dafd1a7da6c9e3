import { journalSuite } from "./JournalSuite.js"
import { cluster, directory, node } from "./SqliteFixtures.js"
import { SqliteJournal } from "@synod/journal"
import { Effect } from "effect"
import { join } from "node:path"

journalSuite(
  "sqlite",
  Effect.map(directory, (path) => ({ open: SqliteJournal.make({ filename: join(path, "journal.db"), cluster, node }) }))
)
