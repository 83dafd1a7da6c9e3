/** A process that decides who holds what: a replica, a member of registers, or clients of one of these. */
import { Client, Endpoint } from "@synod/client"
import { SqliteJournal } from "@synod/journal"
import { Registers, Socket as RegisterSocket } from "@synod/register"
import { Replica, ReplicaConfig, Socket } from "@synod/replica"
import { Clock, Context, Duration, Effect, Layer, Logger, LogLevel, Runtime, Schema, type Scope } from "effect"
import { Load, run } from "../Load.js"
import * as Worker from "../Worker.js"
import { Claims, ClaimsLive } from "./Claims.js"
import { cluster, Contest, type Contested, Settings } from "./Settings.js"

const settings = Schema.decodeUnknownSync(Settings)(Worker.settings())
const load = Schema.decodeUnknownSync(Load)
const contest = Schema.decodeUnknownSync(Contest)
const { by, leader, members, self } = settings

/** Names of what is claimed differ between processes. */
const prefix = `${process.pid}`

type Claim = (key: string, owner: string) => Effect.Effect<unknown, unknown>

/** Claims by a client with connections of its own. */
const client: Effect.Effect<Claim, unknown, Scope.Scope> =
  by === "leader"
    ? Effect.gen(function* () {
        const endpoints = yield* Effect.forEach(Object.entries(members), ([node, address]) =>
          Effect.map(Endpoint.tcp({ ...address, cluster }), (endpoint) => [Number(node), endpoint] as const)
        )
        const claims = yield* Effect.provideServiceEffect(Claims.client, Claims.caller, Client.make(new Map(endpoints)))
        return (key, owner) => claims.Claim({ key, owner })
      })
    : Effect.map(Layer.build(RegisterSocket.layerClient({ cluster, members })), (built) =>
        byRegister(Context.get(built, Registers.Registers))
      )

const byRegister =
  (registers: Registers.Service): Claim =>
  (key, owner) =>
    registers.propose(key, new TextEncoder().encode(owner))

/** Each claim is for something new, so that nobody else claims it. */
const alone = (claim: Claim) => {
  let next = 0
  return (argument: unknown) =>
    Effect.runPromise(
      run(
        load(argument),
        Effect.suspend(() => claim(`${prefix}-${next++}`, prefix))
      )
    )
}

/** So many rounds are made also if they take longer. */
const least = 10

/** All clients claim the same; when all of them have been told whose it is, the next one. */
const compete = (argument: unknown) =>
  Effect.gen(function* () {
    const { clients, seconds } = contest(argument)
    const claims = yield* Effect.replicateEffect(client, clients)
    const elapsed = Effect.map(Clock.currentTimeMillis, (now) => (now - begun) / 1000)
    const begun = yield* Clock.currentTimeMillis
    const latencies: Array<number> = []
    let rounds = 0
    let failed = 0
    while (rounds < least || (yield* elapsed) < seconds) {
      const key = `${prefix}-${clients}-${rounds++}`
      const one = (claim: Claim, i: number) =>
        Effect.matchEffect(Effect.timed(claim(key, `${i}`)), {
          onFailure: () => Effect.sync(() => void failed++),
          onSuccess: ([took]) => Effect.sync(() => void latencies.push(Duration.toMillis(took)))
        })
      yield* Effect.forEach(claims, one, { concurrency: "unbounded", discard: true })
    }
    const sorted = latencies.sort((a, b) => a - b)
    const quantile = (q: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0
    const contested: Contested = {
      decisionsPerSecond: rounds / (yield* elapsed),
      ...{ p50Millis: quantile(0.5), p99Millis: quantile(0.99), failed }
    }
    return contested
  }).pipe(Effect.scoped)

const clients = Effect.gen(function* () {
  const claim = yield* client
  Worker.serve({ measure: alone(claim), contest: (argument) => Effect.runPromise(compete(argument)) })
  return yield* Effect.never
}).pipe(Effect.scoped)

const replica = ({ file, node }: NonNullable<Settings["self"]>) =>
  Effect.gen(function* () {
    const { status, stopped } = yield* Replica.Replica
    const runPromise = Runtime.runPromise(yield* Effect.runtime<never>())
    Worker.serve({
      leads: () =>
        runPromise(Effect.map(status, ({ phase }) => phase === "Leading" && (leader === undefined || leader === node)))
    })
    return yield* stopped
  }).pipe(
    Effect.provide(
      Replica.layer(Claims).pipe(
        Layer.provide([ClaimsLive, Socket.layer({ cluster, node, members }), SqliteJournal.layer({ filename: file })]),
        Layer.provide(
          Layer.succeed(ReplicaConfig.ReplicaConfig, {
            ...ReplicaConfig.defaults,
            priorities: leader === undefined ? {} : { [leader]: 1 }
          })
        )
      )
    )
  )

const keeper = ({ file, node }: NonNullable<Settings["self"]>) =>
  Effect.gen(function* () {
    const registers = yield* Registers.Registers
    Worker.serve({ leads: () => Promise.resolve(true), measure: alone(byRegister(registers)) })
    return yield* Effect.never
  }).pipe(
    Effect.provide(
      RegisterSocket.layer({
        ...{ cluster, node, members, filename: file },
        ...(by === "all aboard" ? { quorums: { _tag: "AllAboard" } as const } : {})
      })
    )
  )

const program = self === undefined ? clients : by === "leader" ? replica(self) : keeper(self)

Effect.runFork(
  program.pipe(
    Effect.tapErrorCause((cause) => Effect.logError(cause)),
    Effect.provide(
      Layer.merge(
        Logger.replace(Logger.defaultLogger, Logger.withConsoleError(Logger.logfmtLogger)),
        Logger.minimumLogLevel(LogLevel.Warning)
      )
    )
  )
).addObserver(() => process.exit(1))
