/** Where it was measured, in a phrase. */
import * as Fs from "node:fs"
import * as Os from "node:os"

/** A file system in memory flushes nothing, and figures from there say nothing of durable writes. */
const onDisk = Fs.statfsSync(Os.tmpdir()).type === 0x01021994 ? " (in memory: NOT durable)" : ""

export const described = `${Os.cpus().length} cores, Node ${process.versions.node}, data in ${Os.tmpdir()}${onDisk}`
