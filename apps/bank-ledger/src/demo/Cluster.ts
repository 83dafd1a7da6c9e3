/**
 * The three replicas of the demonstration: in this process, or as processes of their own that can be killed.
 */
import { Client, type ClientRpcs, Endpoint } from "@synod/client"
import { NodeId } from "@synod/paxos"
import { InProcess } from "@synod/replica"
import { Context, Data, Effect, Layer } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import * as Net from "node:net"
import * as Path from "node:path"
import { Bank } from "../Bank.js"
import { BankLive } from "../BankLive.js"

/** A replica could not be started. */
export class StartFailed extends Data.TaggedError("StartFailed")<{ readonly node: number; readonly reason: string }> {
  override get message() {
    return `Replica ${this.node} did not start: ${this.reason}`
  }
}

export class Cluster extends Context.Tag("bank-ledger/demo/Cluster")<
  Cluster,
  {
    /** How the replicas run, and how they are killed, for the person who watches. */
    readonly setting: string
    readonly killing: string
    readonly nodes: ReadonlyArray<number>
    readonly kill: (node: number) => Effect.Effect<void>
    readonly start: (node: number) => Effect.Effect<void, StartFailed>
    readonly status: (node: number) => Effect.Effect<ClientRpcs.Status, Endpoint.Unreachable>
    readonly digest: (node: number) => Effect.Effect<ClientRpcs.Digest, Endpoint.Unreachable>
  }
>() {}

export const size = 3

export const inProcess = (directory: string) =>
  Layer.effect(
    Cluster,
    Effect.map(InProcess.InProcess, (cluster) => ({
      setting: "three replicas in this process",
      killing: "its actors stopped, its journal closed",
      nodes: cluster.nodes,
      kill: (node) => cluster.kill(NodeId.make(node)),
      start: (node) =>
        Effect.mapError(cluster.start(NodeId.make(node)), (error) => new StartFailed({ node, reason: error.message })),
      status: (node) => cluster.status(NodeId.make(node)),
      digest: (node) => cluster.digest(NodeId.make(node))
    }))
  ).pipe(
    Layer.provideMerge(InProcess.layer(Bank, { directory, cluster: "demo", replicas: size })),
    Layer.provide(BankLive)
  )

export const processes = (directory: string) =>
  Layer.scopedContext(
    Effect.gen(function* () {
      const nodes = Array.from({ length: size }, (_, i) => i + 1)
      const ports = yield* freePorts(size)
      const members = nodes.map((node, i) => `${node}=127.0.0.1:${ports[i]}`).join(",")
      const running = new Map<number, ChildProcess>()

      const kill = (node: number): Effect.Effect<void> =>
        Effect.async((resume) => {
          const child = running.get(node)
          running.delete(node)
          if (child === undefined || child.exitCode !== null || child.signalCode !== null) return resume(Effect.void)
          child.once("exit", () => resume(Effect.void))
          child.kill("SIGKILL")
        })

      const start = (node: number): Effect.Effect<void, StartFailed> =>
        Effect.async((resume) => {
          const bin = Path.resolve(import.meta.dirname, "../bin.js")
          const journal = Path.join(directory, `replica-${node}.sqlite`)
          const child = spawn(
            process.execPath,
            [
              bin,
              "serve",
              "--cluster",
              "demo",
              "--node",
              String(node),
              "--members",
              members,
              "--begin",
              "found",
              "--journal",
              journal
            ],
            { stdio: ["ignore", "pipe", "pipe"] }
          )
          running.set(node, child)
          let said = ""
          child.stderr.on("data", (bytes: Buffer) => (said = (said + bytes.toString()).slice(-2000)))
          child.stdout.on("data", (bytes: Buffer) => {
            if (bytes.toString().includes("listens")) resume(Effect.void)
          })
          child.once("exit", () => resume(Effect.fail(new StartFailed({ node, reason: said.trim() || "it ended" }))))
        })

      yield* Effect.addFinalizer(() => Effect.forEach(running.keys(), kill, { discard: true }))
      yield* Effect.forEach(nodes, start, { concurrency: "unbounded", discard: true })

      const endpoints = new Map(
        yield* Effect.forEach(nodes, (node, i) =>
          Effect.map(
            Endpoint.tcp({ host: "127.0.0.1", port: ports[i]!, cluster: "demo" }),
            (endpoint) => [node, endpoint] as const
          )
        )
      )
      const caller = yield* Client.make(endpoints)
      return Context.make(Bank.caller, caller).pipe(
        Context.add(Cluster, {
          setting: `three processes (${nodes.map((node) => running.get(node)!.pid).join(", ")})`,
          killing: "kill -9",
          nodes,
          kill,
          start,
          status: (node) => endpoints.get(node)!.status,
          digest: (node) => endpoints.get(node)!.digest
        })
      )
    })
  )

/** Ports that the system had free a moment ago. */
const freePorts = (count: number): Effect.Effect<ReadonlyArray<number>> =>
  Effect.scoped(
    Effect.forEach(Array.from({ length: count }), () =>
      Effect.acquireRelease(
        Effect.async<Net.Server>((resume) => {
          const server = Net.createServer()
          server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
        }),
        (server) => Effect.async<void>((resume) => void server.close(() => resume(Effect.void)))
      )
    ).pipe(Effect.map((servers) => servers.map((server) => (server.address() as Net.AddressInfo).port)))
  )
