/**
 * Gets a snapshot from another replica, for one that lacks what is in no log any more.
 *
 * ```
 *   leader ── Behind(source) ──► installer ── FetchSnapshot(slot, 0), (slot, 1), … ──► source
 *                                    │ each piece into the journal
 *                                    ▼
 *                       whole, checked, restored ── Install ──► acceptor ── durable ──► learner
 * ```
 *
 * It asks for one piece at a time, so that memory holds one, and the pace is that of its own disk. A piece that is lost is
 * asked for again; whoever leads meanwhile, and also after a restart, the pieces that are here stay of use.
 *
 * @since 0.1.0
 */
import { Journal, type Snapshot } from "@synod/journal"
import { Slot } from "@synod/paxos"
import type { Acceptor, Epoch, Message, NodeId } from "@synod/paxos"
import type { Machine } from "@synod/state-machine"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Runtime from "effect/Runtime"
import * as Scope from "effect/Scope"
import { crc32 } from "node:zlib"
import { Peers } from "./Peers.js"
import { ReplicaConfig } from "./ReplicaConfig.js"
import * as SnapshotPieces from "./SnapshotPieces.js"
import type * as Snapshots from "./Snapshots.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Installer {
  /** Gets a snapshot from this node; while another one is asked, when nothing came of that. */
  readonly pull: (source: NodeId.NodeId) => void
  /** The log begins behind what the machine holds: restores it, from a snapshot here or from whoever has one. */
  readonly rebuild: () => void
  /** The state of the snapshot that was installed at this slot. It lasts until the next one. */
  readonly take: (slot: Slot.Slot) => Machine.Prepared | undefined
}

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  machine: Machine.Machine,
  options: {
    readonly snapshots: Snapshots.Snapshots
    readonly acceptor: () => Acceptor.State
    /** Who may have a snapshot. */
    readonly others: () => ReadonlyArray<NodeId.NodeId>
    /** A write failed, or something else of the journal. */
    readonly failed: () => void
    /** The snapshot of that slot is durable here, and was taken in that epoch. */
    readonly install: (slot: Slot.Slot, at: Epoch.At) => Effect.Effect<void>
  }
): Effect.Effect<Installer, never, Journal.Journal | Peers | Scope.Scope> =>
  Effect.gen(function* () {
    const journal = yield* Journal.Journal
    const peers = yield* Peers
    const config = yield* ReplicaConfig
    const scope = yield* Effect.scope
    const runFork = Runtime.runFork(yield* Effect.runtime<never>())
    const { acceptor, snapshots } = options
    const applied = () => machine.at().slot
    const silence = Duration.times(Duration.decode(config.heartbeat), config.silence)
    /** The node that is asked, and the others that were named meanwhile. */
    let pulling: NodeId.NodeId | undefined
    const named = new Set<NodeId.NodeId>()
    let rebuilding = false
    let restored: { readonly prepared: Machine.Prepared; readonly scope: Scope.CloseableScope } | undefined

    /** A piece, asked for again while its source is silent, for no longer than a leader would wait for an old entry. */
    const piece = (source: NodeId.NodeId, slot: Slot.Slot, index: number) =>
      Effect.suspend(() => {
        const { epochs, promised } = acceptor()
        const epoch = epochs.present.number
        return peers.peer(source).snapshot({ _tag: "FetchSnapshot", epoch, ballot: promised, slot, index })
      }).pipe(
        Effect.timeout(silence),
        Effect.catchAll(() => Effect.zipRight(Effect.sleep(config.heartbeat), Effect.fail("silent" as const))),
        Effect.retry({ times: config.patience }),
        Effect.catchAll(() => Effect.succeed<Snapshots.Served>({ _tag: "NoSnapshot", slot }))
      )

    /** Would it bring on the acceptor, or a machine that can't be rebuilt from the log? */
    const isOfUse = (slot: Slot.Slot): boolean => {
      const { chosenThrough, trimmedThrough } = acceptor()
      return slot > chosenThrough || (slot >= trimmedThrough && applied() < trimmedThrough)
    }

    /**
     * The first piece to be had, or the last one that is here of a snapshot which was begun before: the source tells with it
     * whether it has that one still.
     */
    const begin = (source: NodeId.NodeId) =>
      Effect.gen(function* () {
        const begun = yield* journal.unfinished
        if (begun !== undefined && isOfUse(begun.slot)) {
          const last = yield* piece(source, begun.slot, begun.chunks - 1)
          if (last._tag === "SnapshotChunk" && last.slot === begun.slot && last.index === begun.chunks - 1) return last
        }
        const first = yield* piece(source, Slot.zero, 0)
        return first._tag === "SnapshotChunk" && first.index === 0 ? first : undefined
      })

    /** The pieces behind this one, one after the other, into the journal, which has those before it. */
    const fetch = (source: NodeId.NodeId, first: Message.SnapshotChunk) =>
      Effect.gen(function* () {
        const { at, bytes, chunks, crc, index: from, slot, time } = first
        if (from === 0) yield* snapshots.clear
        let sum = 0
        let size = 0
        for (let index = 0; index < chunks; index++) {
          let body: Uint8Array
          if (index < from) body = yield* journal.readChunk(slot, index)
          else {
            const next: Snapshots.Served = index === from ? first : yield* piece(source, slot, index)
            if (next._tag !== "SnapshotChunk" || next.slot !== slot || next.crc !== crc || next.index !== index) return
            body = next.body
            yield* journal.saveChunk(slot, index, body)
          }
          sum = crc32(body, sum)
          size += body.length
        }
        const snapshot: Snapshot.Snapshot = { at, bytes, chunks, crc, slot, time }
        if (sum === crc && size === bytes) return yield* Effect.as(snapshots.saved(snapshot), snapshot)
        // Pieces of different snapshots: the next time begins with the first one.
        yield* snapshots.clear
        return undefined
      }).pipe(Effect.catchTag("SnapshotDamaged", () => Effect.as(snapshots.clear, undefined)))

    const pullFrom = (source: NodeId.NodeId) =>
      Effect.gen(function* () {
        const first = yield* begin(source)
        if (first === undefined || !isOfUse(first.slot)) return
        const snapshot = yield* snapshots.saving(
          Effect.gen(function* () {
            const known = (yield* journal.snapshots).find(({ slot }) => slot === first.slot)
            return known ?? (yield* fetch(source, first))
          })
        )
        if (snapshot === undefined || !isOfUse(snapshot.slot)) return
        yield* install(snapshot)
        named.clear()
        yield* Effect.logInfo(`node ${peers.self} goes on from a snapshot of node ${source}, at slot ${snapshot.slot}`)
      })

    const install = (snapshot: Snapshot.Snapshot) =>
      Effect.gen(function* () {
        if (restored !== undefined) yield* Scope.close(restored.scope, Exit.void)
        restored = undefined
        const own = yield* Scope.fork(scope, ExecutionStrategy.sequential)
        const prepared = yield* Scope.extend(SnapshotPieces.restore(machine, snapshot), own).pipe(
          Effect.onError(() => Scope.close(own, Exit.void)),
          Effect.tapErrorTag("SnapshotUnusable", () => snapshots.drop(snapshot.slot))
        )
        restored = { prepared, scope: own }
        yield* options.install(snapshot.slot, snapshot.at)
      })

    const installOwn = Effect.gen(function* () {
      const [snapshot] = yield* journal.snapshots
      if (snapshot !== undefined && isOfUse(snapshot.slot)) yield* install(snapshot)
    })

    /**
     * One at a time; what doesn't come of it, the leader asks for again. The leader names one node after the other and knows
     * nothing of who reaches whom: were those lost that it names meanwhile, it might always be the same that is asked.
     */
    const pullOnce = (source: NodeId.NodeId): Effect.Effect<void> =>
      Effect.suspend(() => {
        if (pulling !== undefined) {
          if (pulling !== source) named.add(source)
          return Effect.void
        }
        pulling = source
        return pullFrom(source).pipe(
          warned,
          Effect.ensuring(Effect.sync(() => (pulling = undefined))),
          Effect.zipRight(
            Effect.suspend(() => {
              const [next] = named
              if (next === undefined) return Effect.void
              named.delete(next)
              return pullOnce(next)
            })
          )
        )
      })

    const warned = <E extends { readonly message: string }>(effect: Effect.Effect<void, E, Journal.Journal>) =>
      effect.pipe(
        Effect.provideService(Journal.Journal, journal),
        Effect.catchAll(({ message }) => {
          options.failed()
          return Effect.logWarning(message)
        })
      )

    const rebuild = Effect.gen(function* () {
      // What the acceptor has just put in place is on its way to the learner.
      yield* Effect.sleep(config.heartbeat)
      if (applied() < acceptor().trimmedThrough) yield* warned(installOwn)
      for (let turn = 0; ; turn++) {
        yield* Effect.sleep(config.heartbeat)
        const { trimmedThrough } = acceptor()
        if (applied() >= trimmedThrough) return
        if (turn === 0) {
          const what = `a machine at slot ${applied()} and a log that begins behind slot ${trimmedThrough}`
          yield* Effect.logWarning(`node ${peers.self} has ${what}: it needs a snapshot from another replica`)
        }
        const others = options.others()
        if (others.length > 0) yield* pullOnce(others[turn % others.length]!)
      }
    })

    return {
      pull: (source) => void runFork(pullOnce(source), { scope }),
      rebuild: () => {
        if (rebuilding) return
        rebuilding = true
        runFork(
          Effect.ensuring(
            rebuild,
            Effect.sync(() => (rebuilding = false))
          ),
          { scope }
        )
      },
      take: (slot) => (restored?.prepared.at.slot === slot ? restored.prepared : undefined)
    }
  })
