/** A replica that must stop, one that is stopped, and one that must not start. */
import { describe, expect, it } from "@effect/vitest"
import { Journal, JournalError } from "@synod/journal"
import { Invariant, NodeId } from "@synod/paxos"
import { InProcess, Replica, ReplicaConfig, Single } from "@synod/replica"
import { Command, Envelope, type Executor } from "@synod/state-machine"
import { Context, Deferred, Effect, Either, Exit, Fiber, Layer, Logger, LogLevel, Scope } from "effect"
import * as Cluster from "./Cluster.js"
import { Tally, TallyLive } from "./Tally.js"
import * as VirtualTime from "./VirtualTime.js"

/** Lines of the log at `info` and above. */
const logged = (lines: Array<string>) =>
  Logger.replace(
    Logger.defaultLogger,
    Logger.make(({ cause, logLevel, message }) => {
      if (LogLevel.greaterThanEqual(logLevel, LogLevel.Info)) {
        lines.push(
          [`${logLevel.label} ${String(message)}`, ...(cause._tag === "Empty" ? [] : [String(cause)])].join(" ")
        )
      }
    })
  )

/** A replica alone on a journal whose nth write does something else; the first one begins it, and with the third one it leads. */
const single = (
  nth: number,
  instead: Effect.Effect<void, JournalError.JournalError>,
  lines: Array<string> = [],
  around: (executor: Executor.Executor) => Executor.Executor = (executor) => executor
) =>
  Effect.gen(function* () {
    const real = yield* Effect.orDie(Effect.flatMap(Journal.makeMemoryDisk, Journal.makeMemory))
    let writes = 0
    const journal = Journal.Journal.of({
      ...real,
      write: (write) => Effect.suspend(() => (++writes === nth ? instead : real.write(write)))
    })
    const executor = yield* Tally.executor.pipe(Effect.provide(TallyLive))
    const { peer, replica } = yield* Replica.make(around(executor)).pipe(
      Effect.provide(Single.layer({ cluster: "test" })),
      Effect.provideService(Journal.Journal, journal),
      Effect.provide(logged(lines))
    )
    yield* Cluster.until(
      "it leads",
      Effect.map(replica.status, ({ phase }) => phase === "Leading")
    )
    return { peer, replica }
  })

const open = Uint8Array.of(1, 0)

const sent = { from: NodeId.make(2), epoch: 1 }

describe("a replica that can't go on", () => {
  it.scoped("a damaged journal: it stops, says so in one line, and what waited is not answered", () =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const damaged = new JournalError.JournalDamaged({
        filename: "/data/1.sqlite",
        slot: undefined,
        reason: "database disk image is malformed"
      })
      const { peer, replica } = yield* single(4, damaged, lines)
      const submitted = yield* Effect.either(peer.client.submit(open))
      expect(submitted).toMatchObject({ _tag: "Left", left: { _tag: "Unreachable", sent: true } })
      const stopped = yield* Effect.flip(replica.stopped)
      expect(stopped.message).toBe(`Node 1 has stopped: ${damaged.message}`)
      expect(lines.filter((line) => line.startsWith("ERROR"))).toEqual([`ERROR ${stopped.message}`])
      expect(lines.join("\n")).not.toContain("    at ")
      // Whoever asks later doesn't wait either.
      expect(yield* Effect.flip(peer.client.submit(open))).toMatchObject({ _tag: "Unreachable", sent: false })
      expect(yield* Effect.flip(peer.client.query([open], "linearizable"))).toMatchObject({ _tag: "Unreachable" })
      expect(yield* Effect.flip(peer.heartbeat(sent, { _tag: "Heartbeat", round: 1 }))).toMatchObject({
        _tag: "Unreachable"
      })
    }).pipe(Effect.scoped, VirtualTime.provide)
  )

  it.scoped("a failed write does not stop it: what waited is answered when the journal is", () =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const failed = new JournalError.JournalFailed({
        filename: "/data/1.sqlite",
        operation: "write",
        reason: "the disk is full"
      })
      const { peer, replica } = yield* single(4, failed, lines)
      const submitted = yield* Effect.fork(peer.client.submit(open))
      yield* Cluster.until(
        "it says so",
        Effect.map(replica.status, ({ trouble }) => trouble === failed.message)
      )
      expect(yield* Effect.flip(peer.heartbeat(sent, { _tag: "Heartbeat", round: 1 }))).toMatchObject({
        reason: failed.message,
        sent: false
      })
      yield* Fiber.join(submitted)
      expect((yield* replica.status).trouble).toBeUndefined()
      expect(lines.filter((line) => /^(WARN|ERROR)/.test(line))).toEqual([`WARN votes no more: ${failed.message}`])
    }).pipe(Effect.scoped, VirtualTime.provide)
  )

  it.scoped("a broken invariant: it stops before it speaks, with a sentence and no stack", () =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const broken = Effect.die(new Invariant.InvariantBroken("journal", "a log without holes"))
      const { peer, replica } = yield* single(4, broken, lines)
      expect(yield* Effect.flip(peer.client.submit(open))).toMatchObject({ _tag: "Unreachable", sent: true })
      const stopped = yield* Effect.flip(replica.stopped)
      expect(stopped.message).toBe("Node 1 has stopped: journal: a log without holes does not hold")
      expect(lines.filter((line) => line.startsWith("ERROR"))).toEqual([`ERROR ${stopped.message}`])
    }).pipe(Effect.scoped, VirtualTime.provide)
  )

  it.scoped("a machine that breaks its contract stops the replica too", () =>
    Effect.gen(function* () {
      const { peer, replica } = yield* single(0, Effect.void, [], (executor) => ({
        ...executor,
        open: (where) =>
          Effect.map(executor.open(where), (machine) => ({
            ...machine,
            apply: () => {
              throw new TypeError("undefined is not a state")
            }
          }))
      }))
      expect(yield* Effect.flip(peer.client.submit(open))).toMatchObject({ _tag: "Unreachable", sent: true })
      expect((yield* Effect.flip(replica.stopped)).message).toBe("Node 1 has stopped: undefined is not a state")
    }).pipe(Effect.scoped, VirtualTime.provide)
  )
})

describe("a replica that is stopped", () => {
  it.scoped("closing its scope ends the requests under way, and doesn't wait for them", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const scope = yield* Scope.make()
      // The write behind which it leads never ends: the submission and the read can't be answered.
      const { peer } = yield* Scope.extend(single(4, Deferred.await(gate)), scope)
      const submitted = yield* Effect.fork(Effect.flip(peer.client.submit(open)))
      yield* VirtualTime.turn
      const read = yield* Effect.fork(Effect.flip(peer.client.query([open], "linearizable")))
      yield* VirtualTime.turn
      yield* Scope.close(scope, Exit.void)
      expect(yield* Fiber.join(submitted)).toMatchObject({ _tag: "Unreachable", sent: true })
      expect(yield* Fiber.join(read)).toMatchObject({ _tag: "Unreachable", sent: true })
    }).pipe(Effect.scoped, VirtualTime.provide)
  )

  it.scoped("callers whose client closes are interrupted", () =>
    Effect.gen(function* () {
      const cluster = yield* Cluster.make()
      const scope = yield* Scope.make()
      const client = yield* Scope.extend(
        cluster.client(cluster.nodes, { requests: 1 }, (endpoint) => ({ ...endpoint, submit: () => Effect.never })),
        scope
      )
      const calls = yield* Effect.forEach(["under way", "waits"], (key) =>
        Effect.zipLeft(Effect.fork(client.Add({ key })), VirtualTime.turn)
      )
      yield* Scope.close(scope, Exit.void)
      for (const call of calls) expect(Exit.isInterrupted(yield* Fiber.await(call))).toBe(true)
      expect(Exit.isInterrupted(yield* Effect.exit(client.Add({ key: "later" })))).toBe(true)
    }).pipe(Effect.scoped, VirtualTime.provide)
  )

  it.scoped("the others go on asking it once it is back", () =>
    Effect.gen(function* () {
      // Killed again and again in the middle of requests of the others, more often than may be outstanding.
      const config = { ...ReplicaConfig.defaults, outstanding: 2 }
      const cluster = yield* Effect.provideService(Cluster.make(), ReplicaConfig.ReplicaConfig, config)
      const client = yield* cluster.client(cluster.nodes)
      const load = yield* Cluster.load([client, client])
      const leader = yield* cluster.leader
      const follower = cluster.nodes.find((node) => node !== leader)!
      for (let n = 0; n < 8; n++) {
        yield* cluster.crash({ node: follower, actor: "acceptor", point: "persist", time: 1 })
        yield* load.progress(2)
        yield* cluster.start(follower)
        yield* Cluster.until(
          "it follows again",
          Effect.map(
            Effect.all([cluster.status(follower), cluster.status(leader)]),
            ([a, b]) => a.appliedThrough > 0 && a.appliedThrough >= b.appliedThrough - 3
          )
        )
      }
      yield* load.stop
      expect(new Set(yield* cluster.digests).size).toBe(1)
    }).pipe(Effect.scoped, VirtualTime.provide)
  )

  it.scoped("one that stopped by itself can be started again", () =>
    Effect.gen(function* () {
      const disk = yield* Journal.makeMemoryDisk
      let damaged = false
      const journal = Layer.scoped(
        Journal.Journal,
        Effect.map(Journal.makeMemory(disk), (journal) => ({
          ...journal,
          write: (write) =>
            Effect.suspend(() =>
              damaged
                ? new JournalError.JournalDamaged({ filename: "disk", slot: undefined, reason: "it says so" })
                : journal.write(write)
            )
        }))
      )
      const context = yield* Layer.build(
        InProcess.layerJournals(Tally, { replicas: 1, journal: () => journal }).pipe(Layer.provide(TallyLive))
      )
      const { start, status } = Context.get(context, InProcess.InProcess)
      const tally = yield* Effect.provide(Tally.client, context)
      const [node] = Context.get(context, InProcess.InProcess).nodes
      yield* tally.Add({ key: "a" })
      damaged = true
      const unsure = yield* Effect.fork(tally.Add({ key: "b" }))
      yield* Cluster.until(
        "it has stopped",
        Effect.map(Effect.option(status(node!)), ({ _tag }) => _tag === "None")
      )
      damaged = false
      yield* start(node!)
      yield* Fiber.join(unsure)
      expect(yield* tally.Positions({ key: "b" })).toEqual([2])
    }).pipe(Effect.scoped, Effect.provide(Logger.remove(Logger.defaultLogger)), VirtualTime.provide)
  )
})

describe("a replica that must not start", () => {
  const bad: ReadonlyArray<readonly [Partial<ReplicaConfig.Values>, string]> = [
    [{ heartbeat: 0 }, 'The replica\'s option "heartbeat" must be a time from 1 millisecond to 1 day, not 0.'],
    [{ jitter: 2 }, 'The replica\'s option "jitter" must be a number from 0 to 1, not 2.'],
    [{ silence: 0 }, 'The replica\'s option "silence" must be a whole number from 1 to 1000, not 0.'],
    [
      { priorities: { 2: "high" as unknown as number } },
      'The replica\'s option "priorities" must be finite numbers by node, not {"2":"high"}.'
    ],
    [
      { lease: { duration: 400, drift: 0.6 } },
      'The replica\'s option "lease" must be "off", or a duration from 1 millisecond to 1 day with a drift from 0 to 0.5, not {"duration":400,"drift":0.6}.'
    ],
    [{ waitingReads: 0 }, 'The replica\'s option "waitingReads" must be a whole number from 1 to 1000000, not 0.'],
    [{ pipeline: 0 }, 'The replica\'s option "pipeline" must be a whole number from 1 to 1024, not 0.'],
    [
      { batchEnvelopes: 0.5 },
      'The replica\'s option "batchEnvelopes" must be a whole number from 1 to 65536, not 0.5.'
    ],
    [{ batchBytes: -1 }, 'The replica\'s option "batchBytes" must be a whole number from 1 to 67108864, not -1.'],
    [{ envelope: NaN }, 'The replica\'s option "envelope" must be a whole number from 1 to 67108864, not NaN.'],
    [
      { waitingBytes: 1 },
      'The replica\'s option "waitingBytes" must be a whole number from 73728 to 9007199254740991, not 1.'
    ],
    [
      { retryAfter: "2 days" },
      'The replica\'s option "retryAfter" must be a time from 1 millisecond to 1 day, not 2 days.'
    ],
    [{ chunk: 0 }, 'The replica\'s option "chunk" must be a whole number from 1 to 16777216, not 0.'],
    [{ keep: -1 }, 'The replica\'s option "keep" must be a whole number from 0 to 1000000, not -1.'],
    [{ patience: 0 }, 'The replica\'s option "patience" must be a whole number from 1 to 1000, not 0.'],
    [{ handOver: 0 }, 'The replica\'s option "handOver" must be a whole number from 1 to 1000, not 0.'],
    [{ mailbox: 1 }, 'The replica\'s option "mailbox" must be a whole number from 16 to 1000000, not 1.'],
    [{ outstanding: 0 }, 'The replica\'s option "outstanding" must be a whole number from 1 to 65536, not 0.'],
    [{ replay: 0 }, 'The replica\'s option "replay" must be a whole number from 1 to 65536, not 0.'],
    [{ feed: -1 }, 'The replica\'s option "feed" must be a whole number from 0 to 9007199254740991, not -1.'],
    [{ followers: -1 }, 'The replica\'s option "followers" must be a whole number from 0 to 1000000, not -1.'],
    [{ followed: -1 }, 'The replica\'s option "followed" must be a whole number from 0 to 65536, not -1.'],
    [{ replays: -1 }, 'The replica\'s option "replays" must be a whole number from 0 to 1024, not -1.'],
    [{ idle: 0 }, 'The replica\'s option "idle" must be a time from 1 millisecond to 1 day, not 0.'],
    [
      { snapshotSlots: 0 },
      'The replica\'s option "snapshotSlots" must be a whole number from 1 to 9007199254740991, not 0.'
    ],
    [
      { snapshotBytes: 0 },
      'The replica\'s option "snapshotBytes" must be a whole number from 1 to 9007199254740991, not 0.'
    ],
    [{ margin: -1 }, 'The replica\'s option "margin" must be a whole number from 0 to 9007199254740991, not -1.'],
    [
      { marginBytes: -1 },
      'The replica\'s option "marginBytes" must be a whole number from 0 to 9007199254740991, not -1.'
    ],
    [{ compression: "gzip" as "zstd" }, 'The replica\'s option "compression" must be "zstd" or "none", not gzip.'],
    [{ pin: 0 }, 'The replica\'s option "pin" must be a time from 1 millisecond to 1 day, not 0.'],
    [{ hold: 0 }, 'The replica\'s option "hold" must be a time from 1 millisecond to 1 day, not 0.']
  ]
  it.effect("every option has its bounds", () =>
    Effect.gen(function* () {
      expect(bad.map(([options]) => Object.keys(options)[0]).sort()).toEqual(Object.keys(ReplicaConfig.defaults).sort())
      for (const [options, sentence] of bad) {
        const error = yield* Effect.flip(
          Effect.provideService(ReplicaConfig.checked, ReplicaConfig.ReplicaConfig, {
            ...ReplicaConfig.defaults,
            ...options
          })
        )
        expect(error.message).toBe(sentence)
      }
    })
  )

  it.scoped("a bad option keeps it from starting", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        Effect.provideService(
          Layer.build(InProcess.layerMemory(Tally).pipe(Layer.provide(TallyLive))),
          ReplicaConfig.ReplicaConfig,
          { ...ReplicaConfig.defaults, pipeline: 0 }
        )
      )
      expect(error._tag).toBe("ConfigRefused")
    })
  )

  for (const replicas of [0, 10, 2.5]) {
    it.scoped(`a cluster of ${replicas} replicas is refused`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(
          Layer.build(InProcess.layerMemory(Tally, { replicas }).pipe(Layer.provide(TallyLive)))
        )
        expect(error.message).toBe(
          `The cluster's option "replicas" must be a whole number from 1 to 9, not ${replicas}.`
        )
      })
    )
  }
})

it.scoped("a full queue: Overloaded, with nothing applied", () =>
  Effect.gen(function* () {
    const config = { ...ReplicaConfig.defaults, envelope: 1024, waitingBytes: 1024 }
    const gate = yield* Deferred.make<void>()
    const { peer } = yield* Effect.provideService(single(4, Deferred.await(gate)), ReplicaConfig.ReplicaConfig, {
      ...config,
      pipeline: 1
    })
    const commands = [Either.getOrThrow(Command.encode("Add", { key: "k".repeat(880) }))]
    const envelope = Envelope.encode(Envelope.call({ session: 1, acknowledged: 1, first: 1, commands }))
    const fibers = yield* Effect.forEach([1, 2], () =>
      Effect.zipLeft(Effect.fork(peer.client.submit(envelope)), VirtualTime.turn)
    )
    expect(yield* Effect.flip(peer.client.submit(envelope))).toMatchObject({ _tag: "Overloaded" })
    yield* Fiber.interruptAll(fibers)
  }).pipe(Effect.scoped, VirtualTime.provide)
)
