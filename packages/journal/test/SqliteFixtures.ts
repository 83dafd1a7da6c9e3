import { NodeId } from "@synod/paxos"
import { Effect } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

export const cluster = "test"
export const node = NodeId.make(1)

/** A directory of one's own, which goes with the scope. */
export const directory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "synod-journal-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)
