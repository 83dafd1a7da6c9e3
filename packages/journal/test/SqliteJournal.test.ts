import { Effect } from "effect"
import { journalSuite } from "./JournalSuite.js"
import { filename, open } from "./SqliteFixtures.js"

journalSuite(
  "sqlite",
  Effect.map(filename, (path) => ({ open: open(path) }))
)
