/** What goes over the wire, and what is lost on it. */
import type { Mutant } from "./Mutant.js"

export const messages: ReadonlyArray<Mutant> = [
  {
    name: "frame-checksum-not-checked",
    bug: "A frame with a flipped bit is taken for what it says.",
    edits: [
      {
        file: "packages/wire/src/Frame.ts",
        find: '    if (crc32(bytes.subarray(start + 8, end)) !== getUint32(bytes, start + 4)) return { _tag: "BadChecksum" }\n',
        replace: ""
      }
    ],
    tier: "world",
    rates: { corruption: 0.02 }
  },
  {
    name: "lost-request-keeps-its-place",
    bug: "A request that is never answered stays among those outstanding, until there is no room for another: nothing more is sent to that peer. A bug of our own, found by the world tier.",
    edits: [
      {
        file: "packages/replica/src/Outstanding.ts",
        find: "tick: () => giveUp(++rounds - options.patience)",
        replace: "tick: () => void ++rounds"
      }
    ],
    tier: "world",
    rates: { loss: 0.1 }
  },
  {
    name: "lost-heartbeat-waited-for",
    bug: "A peer is asked again only when it has answered, and a heartbeat that was lost is waited for as long as its connection lives.",
    edits: [
      {
        file: "packages/replica/src/ElectionActor.ts",
        find: "Effect.timeout(peers.peer(node).heartbeat(sent, message), silence)",
        replace: "peers.peer(node).heartbeat(sent, message)"
      }
    ],
    tier: "world",
    rates: { loss: 0.1, isolate: 0.2, oneWay: 0.2 }
  }
]
