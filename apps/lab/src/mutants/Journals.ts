/** What is on disk. The driver here is that of the simulated disk; the one of SQLite passes the same suite. */
import type { Mutant } from "./Mutant.js"

const driver = "packages/simulator/src/DiskJournal.ts"

export const journals: ReadonlyArray<Mutant> = [
  {
    name: "wiped-journal-votes-again",
    bug: "A founder votes as soon as it is told of the others, and so does one whose journal is gone, under its old number, as if it had said nothing.",
    edits: [
      {
        file: "packages/replica/src/Founding.ts",
        find: "told.voters.length === 1 && told.voters[0] === node",
        replace: "told.voters.includes(node)"
      }
    ],
    tier: "world",
    rates: { wipe: 0.3, loss: 0.01, crash: 0.001 }
  },
  {
    name: "checksums-not-checked",
    bug: "Bits that flipped at rest are read as if they had been written (Protocol-Aware Recovery), since neither the disk's sectors nor the journal's rows are checked.",
    edits: [
      {
        file: "packages/simulator/src/internal/sector.ts",
        find: '  if (view.getUint32(0) !== crc32(sector.subarray(4))) return "damaged"\n',
        replace: ""
      },
      {
        file: "packages/journal/src/Row.ts",
        find: `  if (checksum(slot, body) !== crc) return Either.left("its checksum differs")
  if (body.length < stateBytes`,
        replace: "  if (body.length < stateBytes"
      },
      {
        file: "packages/journal/src/Row.ts",
        find: `  if (checksum(slot, body) !== crc) return Either.left("its checksum differs")
  const kind`,
        replace: "  const kind"
      }
    ],
    tier: "world",
    harsh: true,
    rates: { bitFlip: 1, crash: 0.002, outage: 0.3 }
  },
  {
    name: "failed-sync-ignored",
    bug: "The result of fsync is not looked at. What it failed to keep is gone at the next power loss.",
    edits: [
      {
        file: driver,
        find: '      if (!disk.sync()) return failed(disk, operation, "the disk could not sync")\n      contents.end',
        replace: "      disk.sync()\n      contents.end"
      }
    ],
    tier: "world",
    rates: { syncError: 0.02, crash: 0.003, lostWrites: 1 }
  },
  {
    name: "failed-sync-believed-later",
    bug: "After an fsync that failed, what the disk shows is taken to be on it, and the next fsync succeeds without it: what PostgreSQL found in 2018.",
    edits: [
      {
        file: driver,
        find: "    for (let i = 0; i < contents.end; i++) disk.write(i, disk.read(i))\n",
        replace: ""
      }
    ],
    tier: "world",
    rates: { syncLie: 0.05, crash: 0.003, lostWrites: 1 }
  },
  {
    name: "failed-write-answered",
    bug: "After a write that failed the acceptor looks again what its journal holds, and then answers all the same.",
    edits: [
      {
        file: "packages/replica/src/Actor.ts",
        find: "onFailure: (failure) => Effect.map(recover(failure, inputs), (recovered) => void (state = recovered)),",
        replace: "onFailure: (failure) => Effect.flatMap(recover(failure, inputs), () => say(next, asked)),"
      }
    ],
    tier: "world"
  }
]
