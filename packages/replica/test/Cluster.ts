/**
 * Three replicas in virtual time, with what tests do to them: crashes at a point of an actor's turn, links that are cut,
 * clients of one's own, and a load that keeps account.
 */
import { Client, type ClientConfig, Endpoint } from "@synod/client"
import { Journal, type JournalError } from "@synod/journal"
import type { NodeId } from "@synod/paxos"
import { Actor, InProcess, Peers } from "@synod/replica"
import { Cause, Clock, Context, Deferred, Effect, FiberSet, Layer, Ref, type Scope } from "effect"
import { Tally, TallyLive } from "./Tally.js"

/** Waits until something holds, at most 60 seconds of virtual time. */
export const until = <E, R>(what: string, condition: Effect.Effect<boolean, E, R>): Effect.Effect<void, E, R> =>
  Effect.gen(function* () {
    const end = (yield* Clock.currentTimeMillis) + 60_000
    while (!(yield* condition)) {
      if ((yield* Clock.currentTimeMillis) > end) return yield* Effect.dieMessage(`waited in vain until ${what}`)
      yield* Effect.sleep("10 millis")
    }
  })

/** Where a replica is to crash. */
export interface Crash {
  readonly node: NodeId.NodeId
  readonly actor: string
  readonly point: Actor.Point
  /** The how-manieth time it comes there. */
  readonly time: number
}

export interface Piece {
  /** Of the newest snapshot, where it is 0. */
  readonly slot: number
  readonly index: number
}

export interface Cluster {
  readonly nodes: ReadonlyArray<NodeId.NodeId>
  readonly kill: (node: NodeId.NodeId) => Effect.Effect<void>
  readonly start: (node: NodeId.NodeId) => Effect.Effect<void>
  readonly join: (node: NodeId.NodeId) => Effect.Effect<void>
  readonly admin: InProcess.InProcess["Type"]["admin"]
  readonly handOver: InProcess.InProcess["Type"]["handOver"]
  readonly status: InProcess.InProcess["Type"]["status"]
  readonly digest: InProcess.InProcess["Type"]["digest"]
  /** Crashes a replica where it says, and waits until it is down. */
  readonly crash: (crash: Crash) => Effect.Effect<void>
  /** Keeps an actor of a replica from going on with its next turn; gives back how to let it go on. */
  readonly hold: (node: NodeId.NodeId, actor: string) => Effect.Effect<Effect.Effect<void>>
  /** Cuts a replica off from the others, in both directions; clients still reach it. */
  readonly isolate: (node: NodeId.NodeId) => void
  /** Joins all links again. */
  readonly heal: () => void
  /** How often a follower has asked for the slot to read from. */
  readonly questions: () => number
  /** The pieces of snapshots that were asked for, in order. */
  readonly pieces: () => ReadonlyArray<Piece>
  /** The replica as a client sees it. */
  readonly endpoint: (node: NodeId.NodeId) => Endpoint.Endpoint
  /** Waits for a replica that all others which run follow, for three heartbeats; gives its node. */
  readonly leader: Effect.Effect<NodeId.NodeId>
  /** A client that knows these replicas. */
  readonly client: (
    nodes: ReadonlyArray<NodeId.NodeId>,
    options?: Partial<ClientConfig.ClientConfig>,
    around?: (endpoint: Endpoint.Endpoint) => Endpoint.Endpoint
  ) => Effect.Effect<TallyClient, never, Scope.Scope>
  /** Waits until all replicas, or these, have applied the same slots, and gives their digests. */
  readonly digests: Effect.Effect<ReadonlyArray<string>>
  readonly digestsOf: (nodes: ReadonlyArray<NodeId.NodeId>) => Effect.Effect<ReadonlyArray<string>>
  /** The replica as others see it. */
  readonly peer: (node: NodeId.NodeId) => Peers.Peer
}

export type TallyClient = Effect.Effect.Success<typeof Tally.client>

export const make = (
  journals?: (node: NodeId.NodeId, cluster: string) => Layer.Layer<Journal.Journal, JournalError.OpenError>,
  options?: Pick<InProcess.Options, "replicas" | "quorums">
): Effect.Effect<Cluster, never, Scope.Scope> =>
  Effect.gen(function* () {
    const disks = new Map<NodeId.NodeId, Journal.MemoryDisk>()
    const endpoints = new Map<NodeId.NodeId, Endpoint.Endpoint>()
    const peers = new Map<NodeId.NodeId, Peers.Peer>()
    const isolated = new Set<NodeId.NodeId>()
    let armed: { readonly crash: Crash; left: number; readonly down: Deferred.Deferred<void> } | undefined
    let questions = 0
    const pieces: Array<Piece> = []
    const dead = new Set<NodeId.NodeId>()
    const held = new Map<string, Deferred.Deferred<void>>()

    const onDisk =
      journals ??
      ((node: NodeId.NodeId) =>
        Layer.unwrapEffect(
          Effect.gen(function* () {
            const disk = disks.get(node) ?? (yield* Journal.makeMemoryDisk)
            disks.set(node, disk)
            return Journal.layerMemoryDisk(disk)
          })
        ))

    const reach =
      (node: NodeId.NodeId) =>
      (actor: string, point: Actor.Point): Effect.Effect<void> =>
        Effect.suspend((): Effect.Effect<void> => {
          if (dead.has(node)) return Effect.never
          const latch = held.get(`${node} ${actor}`)
          if (latch !== undefined && point === "persist") return Deferred.await(latch)
          const { crash } = armed ?? {}
          if (armed === undefined || crash === undefined) return Effect.void
          if (crash.node !== node || crash.actor !== actor || crash.point !== point || --armed.left > 0)
            return Effect.void
          const { down } = armed
          armed = undefined
          dead.add(node)
          return Effect.zipRight(
            Effect.forkDaemon(Effect.zipRight(kill(node), Deferred.succeed(down, undefined))),
            Effect.never
          )
        })

    const isCut = (from: NodeId.NodeId, to: NodeId.NodeId): boolean => isolated.has(from) !== isolated.has(to)
    const cut = <A, E>(from: NodeId.NodeId, to: NodeId.NodeId, ask: Effect.Effect<A, E>) =>
      Effect.suspend((): Effect.Effect<A, E | Endpoint.Unreachable> => {
        const lost = Effect.suspend(() =>
          isCut(from, to) ? new Endpoint.Unreachable({ reason: "the link is cut", sent: true }) : Effect.void
        )
        return Effect.zipLeft(Effect.zipRight(lost, ask), lost)
      })
    const between = (from: NodeId.NodeId | undefined, to: NodeId.NodeId, peer: Peers.Peer): Peers.Peer => {
      if (from === undefined) {
        endpoints.set(to, peer.client)
        peers.set(to, peer)
        return peer
      }
      return {
        acceptor: (sent, message, answer) => {
          if (!isCut(from, to)) {
            return peer.acceptor(sent, message, (reply) => answer(isCut(from, to) ? undefined : reply))
          }
          answer(undefined)
          return () => undefined
        },
        introduce: (introduction) => cut(from, to, peer.introduce(introduction)),
        heartbeat: (sent, message) => cut(from, to, peer.heartbeat(sent, message)),
        takeOver: (sent, message) => cut(from, to, peer.takeOver(sent, message)),
        learn: (message) => cut(from, to, peer.learn(message)),
        readSlot: (leased) =>
          Effect.suspend(() => {
            questions++
            return cut(from, to, peer.readSlot(leased))
          }),
        snapshot: (message) =>
          Effect.suspend(() => {
            pieces.push({ slot: message.slot, index: message.index })
            return cut(from, to, peer.snapshot(message))
          }),
        client: peer.client,
        admin: peer.admin
      }
    }

    const context = yield* Layer.build(
      InProcess.layerJournals(Tally, {
        ...options,
        between,
        journal: (node, cluster) => Layer.merge(onDisk(node, cluster), Layer.succeed(Actor.Checkpoint, reach(node)))
      }).pipe(Layer.provide(TallyLive))
    ).pipe(Effect.orDie)
    const { admin, digest, handOver, join, kill, nodes, start, status } = Context.get(context, InProcess.InProcess)

    const statuses = Effect.map(
      Effect.forEach(nodes, (node) => Effect.option(status(node))),
      (all) => all.flatMap((one) => (one._tag === "Some" ? [one.value] : []))
    )
    const leading = Effect.map(statuses, (all) => {
      const leader = all.find(({ phase }) => phase === "Leading")
      // Those who left hear of no ballot.
      const members = all.filter(({ outside }) => outside === undefined)
      const settled = members.every(
        ({ node, phase, promised }) =>
          promised === leader?.promised && phase === (node === leader.node ? "Leading" : "Following")
      )
      return settled && members.length >= 2 ? nodes.find((node) => node === leader?.node) : undefined
    })

    const digestsOf = (nodes: ReadonlyArray<NodeId.NodeId>) =>
      Effect.gen(function* () {
        const all = Effect.map(
          Effect.forEach(nodes, (node) => Effect.option(digest(node))),
          (all) => all.flatMap((one) => (one._tag === "Some" ? [one.value] : []))
        )
        yield* until(
          "all replicas have applied the same slots",
          Effect.map(
            all,
            (all) => all.length === nodes.length && new Set(all.map((one) => one.appliedThrough)).size === 1
          )
        )
        return (yield* all).map((one) => one.digest)
      })

    const lasting = new Map<NodeId.NodeId, Endpoint.Endpoint>()
    /** One that joins later, too. */
    const endpoint = (node: NodeId.NodeId): Endpoint.Endpoint => {
      const known = lasting.get(node)
      if (known !== undefined) return known
      const now = () => endpoints.get(node) ?? Peers.unreachable(`node ${node} has not joined`).client
      const made: Endpoint.Endpoint = {
        submit: (envelope) => Effect.suspend(() => now().submit(envelope)),
        query: (queries, consistency) => Effect.suspend(() => now().query(queries, consistency)),
        follow: (request) => Effect.suspend(() => now().follow(request)),
        status: Effect.suspend(() => now().status),
        digest: Effect.suspend(() => now().digest)
      }
      lasting.set(node, made)
      return made
    }

    return {
      nodes,
      kill,
      join: (node) => Effect.orDie(join(node)),
      admin,
      handOver,
      status,
      digest,
      start: (node) =>
        Effect.zipRight(
          Effect.sync(() => dead.delete(node)),
          Effect.orDie(start(node))
        ),
      crash: (crash) =>
        Effect.gen(function* () {
          const down = yield* Deferred.make<void>()
          armed = { crash, left: crash.time, down }
          yield* Deferred.await(down).pipe(
            Effect.timeoutFailCause({
              duration: "60 seconds",
              onTimeout: () => Cause.die(`node ${crash.node} never came to ${crash.actor} ${crash.point}`)
            })
          )
        }),
      hold: (node, actor) =>
        Effect.map(Deferred.make<void>(), (latch) => {
          held.set(`${node} ${actor}`, latch)
          return Effect.suspend(() => {
            held.delete(`${node} ${actor}`)
            return Deferred.succeed(latch, undefined)
          })
        }),
      isolate: (node) => void isolated.add(node),
      heal: () => isolated.clear(),
      questions: () => questions,
      pieces: () => pieces,
      endpoint,
      leader: Effect.gen(function* () {
        for (;;) {
          yield* until(
            "somebody leads",
            Effect.map(leading, (node) => node !== undefined)
          )
          const leader = yield* leading
          yield* Effect.sleep("300 millis")
          if (leader !== undefined && (yield* leading) === leader) return leader
        }
      }),
      client: (nodes, options, around = (endpoint) => endpoint) =>
        Client.make(new Map(nodes.map((node) => [node, around(endpoint(node))])), options).pipe(
          Effect.orDie,
          Effect.flatMap((caller) => Effect.provideService(Tally.client, Tally.caller, caller))
        ),
      digests: Effect.suspend(() => digestsOf(nodes)),
      digestsOf,
      peer: (node) => peers.get(node)!
    }
  })
/** What became of the commands of a load. */
export interface Account {
  /** The position that each acknowledged key was said to have. */
  readonly acknowledged: Map<string, number>
  readonly unknown: Set<string>
  readonly refused: Set<string>
}

export interface Load {
  readonly account: Account
  /** Waits until so many more commands were acknowledged. */
  readonly progress: (count: number) => Effect.Effect<void>
  /** Lets the commands under way end, and sends no more. */
  readonly stop: Effect.Effect<Account>
}

/** Clients that add one key after the other, each key once, and note what they were told. */
export const load = (clients: ReadonlyArray<TallyClient>): Effect.Effect<Load, never, Scope.Scope> =>
  Effect.gen(function* () {
    const account: Account = { acknowledged: new Map(), unknown: new Set(), refused: new Set() }
    const running = yield* Ref.make(true)
    const fibers = yield* FiberSet.make()
    for (const [i, client] of clients.entries()) {
      const add = (key: string) =>
        client.Add({ key }).pipe(
          Effect.tap((position) => Effect.sync(() => account.acknowledged.set(key, position))),
          Effect.catchTags({
            OutcomeUnknown: () => Effect.sync(() => account.unknown.add(key)),
            SessionExpired: () => Effect.sync(() => account.unknown.add(key))
          }),
          Effect.catchTags({
            Unavailable: () => Effect.sync(() => account.refused.add(key)),
            Overloaded: () => Effect.sync(() => account.refused.add(key))
          }),
          Effect.orDie
        )
      let n = 0
      yield* FiberSet.run(
        fibers,
        Effect.repeat(
          Effect.suspend(() => add(`${i}/${n++}`)),
          { while: () => Ref.get(running) }
        )
      )
    }
    return {
      account,
      progress: (count) =>
        Effect.suspend(() => {
          const goal = account.acknowledged.size + count
          return until(
            `${count} more commands are acknowledged`,
            Effect.sync(() => account.acknowledged.size >= goal)
          )
        }),
      stop: Effect.zipRight(Ref.set(running, false), FiberSet.awaitEmpty(fibers)).pipe(Effect.as(account))
    }
  })

/** What a machine holds that it should not, or lacks, held against what clients were told. */
export const discrepancies = (
  account: Account,
  all: ReadonlyArray<readonly [string, ReadonlyArray<number>]>
): ReadonlyArray<string> => {
  const found: Array<string> = []
  const positions = new Map(all)
  for (const [key, position] of account.acknowledged) {
    const held = positions.get(key) ?? []
    if (held.length === 0) found.push(`${key} was acknowledged and is lost`)
    else if (held.length > 1) found.push(`${key} was applied ${held.length} times`)
    else if (held[0] !== position) found.push(`${key} was said to be at ${position} and is at ${held[0]}`)
  }
  for (const key of account.unknown) {
    const held = positions.get(key) ?? []
    if (held.length > 1) found.push(`${key}, of unknown outcome, was applied ${held.length} times`)
  }
  for (const key of account.refused) {
    if ((positions.get(key) ?? []).length > 0) found.push(`${key} was refused, and yet applied`)
  }
  return found
}
