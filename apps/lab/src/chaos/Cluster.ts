/**
 * The replicas of a run: processes that are killed, paused, stopped and started again, and looked at past the proxies.
 */
import { Client, type ClientRpcs, Endpoint } from "@synod/client"
import { Consistency, type StateMachine } from "@synod/state-machine"
import { Effect, Option, Scope } from "effect"
import * as Path from "node:path"
import * as Child from "./Child.js"
import * as Limit from "./Limit.js"
import type { Network } from "./Network.js"
import { cluster, host, type ReplicaSettings } from "./Settings.js"
import { Texts } from "./Texts.js"

type Api = StateMachine.ClientOf<typeof Texts>

export interface Cluster {
  readonly nodes: ReadonlyArray<number>
  readonly pids: () => ReadonlyArray<number>
  /** kill -9. */
  readonly kill: (node: number) => Effect.Effect<void>
  /** SIGTERM; {@link start} waits until it has ended. */
  readonly stop: (node: number) => Effect.Effect<void>
  readonly pause: (node: number) => Effect.Effect<void>
  readonly resume: (node: number) => Effect.Effect<void>
  /** It may write no more to its disk, until {@link empty}. */
  readonly fill: (node: number) => Effect.Effect<void>
  readonly empty: (node: number) => Effect.Effect<void>
  /** Starts it, unless it runs and was not told to stop. */
  readonly start: (node: number) => Effect.Effect<void>
  /** What it says of itself, if it answers soon. */
  readonly status: (node: number) => Effect.Effect<Option.Option<ClientRpcs.Status>>
  readonly digest: (node: number) => Effect.Effect<Option.Option<ClientRpcs.Digest>>
  /** A text as this replica has it, once it has applied that slot. */
  readonly read: (node: number, name: string, slot: number) => ReturnType<Api["Read"]>
  /** A replica that says that it leads. */
  readonly leader: Effect.Effect<Option.Option<number>>
  /** Replicas that ended though nobody killed them, or otherwise than with 0 when they were told to stop. */
  readonly wrong: () => ReadonlyArray<string>
}

/** How long a replica may take to say something of itself, in milliseconds. */
const patience = 300

/** How long one that was told to stop may take, in milliseconds; then it is killed, and that is wrong. */
const grace = 10_000

interface Running {
  readonly child: Child.Child
  stopping: boolean
  killed: boolean
}

/** Starts all of them. */
export const make = (options: {
  readonly directory: string
  /** Where each replica listens, by node. */
  readonly ports: ReadonlyMap<number, number>
  readonly network: Network
  /** Modules that replicas load before their own. */
  readonly imports: ReadonlyArray<string>
}): Effect.Effect<Cluster, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { directory, imports, network, ports } = options
    const scope = yield* Effect.scope
    const nodes = [...ports.keys()]
    const all = new Map<number, Running>()
    const starting = new Map(nodes.map((node) => [node, Effect.unsafeMakeSemaphore(1)]))
    const wrong: Array<string> = []

    const spawn = (node: number) =>
      Effect.gen(function* () {
        const members = Object.fromEntries(
          nodes.map((other) => [other, { host, port: other === node ? ports.get(node)! : network.port(node, other) }])
        )
        const settings: ReplicaSettings = { node, members, file: Path.join(directory, `replica-${node}.sqlite`) }
        const log = Path.join(directory, `replica-${node}.log`)
        const child = yield* Child.start({ program: "replica", settings, log, imports })
        const running: Running = { child, stopping: false, killed: false }
        all.set(node, running)
        const judge = Effect.map(child.ended, ({ code, signal }) => {
          if (running.killed || (running.stopping && code === 0)) return
          // It was told so before its code ran: nothing was open that it could have closed.
          if (running.stopping && signal === "SIGTERM" && !child.isUp()) return
          const how = `${running.stopping ? "was told to stop" : "was left alone"} and ended with ${signal ?? code}`
          wrong.push(`Replica ${node} ${how}: see ${log}`)
        })
        yield* Effect.forkIn(judge, scope)
      }).pipe(Scope.extend(scope))

    const on = (node: number, act: (running: Running) => Effect.Effect<unknown>) =>
      Effect.suspend(() => Effect.asVoid(act(all.get(node)!)))
    const kill = (node: number) =>
      on(node, (running) => {
        running.killed = true
        return Effect.zipRight(running.child.signal("SIGKILL"), running.child.ended)
      })
    /** Waits until whoever was told to stop has. */
    const stopped = (node: number) =>
      on(node, ({ child }) =>
        Effect.timeoutTo(child.ended, {
          duration: grace,
          onSuccess: () => Effect.void,
          onTimeout: () => {
            wrong.push(`Replica ${node} was told to stop and ran on for ${grace} ms.`)
            return kill(node)
          }
        }).pipe(Effect.flatten)
      )

    const direct = new Map(
      yield* Effect.forEach(ports, ([node, port]) =>
        Effect.gen(function* () {
          const endpoint = yield* Endpoint.tcp({ host, port, cluster })
          const caller = yield* Effect.orDie(Client.make(new Map([[node, endpoint]])))
          return [node, { endpoint, api: yield* Effect.provideService(Texts.client, Texts.caller, caller) }] as const
        })
      )
    )
    const soon = <A, E>(effect: Effect.Effect<A, E>) =>
      Effect.map(Effect.option(Effect.timeoutOption(effect, patience)), Option.flatten)
    const status = (node: number) => soon(direct.get(node)!.endpoint.status)

    yield* Effect.forEach(nodes, spawn, { concurrency: "unbounded" })
    return {
      nodes,
      pids: () => [...all.values()].map(({ child }) => child.pid),
      kill,
      stop: (node) =>
        on(node, (running) => {
          running.stopping = true
          return running.child.signal("SIGTERM")
        }),
      pause: (node) => on(node, ({ child }) => child.signal("SIGSTOP")),
      resume: (node) => on(node, ({ child }) => child.signal("SIGCONT")),
      fill: (node) => on(node, ({ child }) => Limit.fill(child.pid)),
      empty: (node) => on(node, ({ child }) => Limit.empty(child.pid)),
      start: (node) =>
        starting.get(node)!.withPermits(1)(
          on(node, ({ child, stopping }) => {
            if (child.isRunning() && !stopping) return Effect.void
            return Effect.zipRight(stopped(node), spawn(node))
          })
        ),
      status,
      digest: (node) => Effect.option(direct.get(node)!.endpoint.digest),
      read: (node, name, slot) => Consistency.atLeast(slot)(direct.get(node)!.api.Read({ name })),
      leader: Effect.map(Effect.forEach(nodes, status, { concurrency: "unbounded" }), (statuses) => {
        const leading = statuses.flatMap((one) =>
          Option.isSome(one) && one.value.phase === "Leading" ? [one.value] : []
        )
        // One that was deposed may not know yet: the higher ballot is the later one.
        leading.sort((a, b) => Number.parseInt(b.promised) - Number.parseInt(a.promised))
        return Option.map(Option.fromNullable(leading[0]), ({ node }) => node)
      }),
      wrong: () => wrong
    }
  })
