/**
 * A small stand-in for Maelstrom: it tells nodes who they are, routes their messages, cuts links, and is the clients.
 */
import { Journal, JournalStore } from "@synod/journal"
import type { History, Seeded } from "@synod/simulator"
import { Effect, Logger, Mailbox, Option } from "effect"
import type { Scope } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import * as Lines from "../src/Lines.js"
import type { Body } from "../src/Message.js"
import { defaultDeadline, longestLine, serve } from "../src/Node.js"

/** A node that runs: it takes lines and gives lines. */
export type Start = (
  name: string,
  onLine: (line: string) => void
) => Effect.Effect<{ readonly feed: (line: string) => void }, never, Scope.Scope>

/** How long a client waits for its answer, as those of Maelstrom do. */
const patience = "1 second"

export class Maelstrom {
  private readonly nodes = new Map<string, (line: string) => void>()
  private readonly waiting = new Map<string, (body: Body) => void>()
  private nextId = 1
  /** Messages between nodes that arrived, and that did not. */
  readonly counts = { delivered: 0, cut: 0 }
  isCut: (src: string, dest: string) => boolean = () => false

  constructor(
    readonly names: ReadonlyArray<string>,
    private readonly begin: Start
  ) {}

  /** Starts a node that is not told anything yet; it is gone when the scope closes. */
  attach(name: string): Effect.Effect<void, never, Scope.Scope> {
    return Effect.gen(this, function* () {
      const { feed } = yield* this.begin(name, (line) => this.route(line))
      yield* Effect.acquireRelease(
        Effect.sync(() => this.nodes.set(name, feed)),
        () => Effect.sync(() => this.nodes.delete(name))
      )
    })
  }

  /** Starts a node and tells it who it is. */
  start(name: string): Effect.Effect<void, never, Scope.Scope> {
    return Effect.gen(this, function* () {
      yield* this.attach(name)
      const answer = yield* Effect.orDie(this.answer(name, { type: "init", node_id: name, node_ids: this.names }))
      if (answer["type"] !== "init_ok")
        return yield* Effect.dieMessage(`${name} does not start: ${JSON.stringify(answer)}`)
    })
  }

  /** A line as it is, from nobody. */
  feed(name: string, line: string): void {
    this.nodes.get(name)?.(line)
  }

  private route(line: string): void {
    const { body, dest, src } = JSON.parse(line) as { src: string; dest: string; body: Body }
    if (!this.names.includes(dest)) return this.waiting.get(`${dest}/${body.in_reply_to}`)?.(body)
    if (this.isCut(src, dest)) this.counts.cut++
    else {
      this.counts.delivered++
      this.feed(dest, line)
    }
  }

  /** The answer to a request of a client, if one comes in time. */
  ask(client: string, node: string, body: object, time: "30 seconds" | typeof patience = patience) {
    return Effect.suspend(() => {
      const id = this.nextId++
      return Effect.async<Body>((resume) => {
        this.waiting.set(`${client}/${id}`, (answer) => resume(Effect.succeed(answer)))
        this.feed(node, JSON.stringify({ src: client, dest: node, body: { ...body, msg_id: id } }))
        return Effect.sync(() => this.waiting.delete(`${client}/${id}`))
      }).pipe(Effect.timeoutOption(time))
    })
  }

  /** The same, for answers that must come. */
  answer(node: string, body: object) {
    return Effect.map(Effect.flatten(this.ask("c1", node, body, "30 seconds")), ({ in_reply_to: _, ...rest }) => rest)
  }
}

/** A node in this process, which takes so long for a request before it says that it is unavailable. */
export const inProcess =
  (deadline = defaultDeadline): Start =>
  (name, onLine) =>
    Effect.gen(function* () {
      const input = yield* Mailbox.make<Lines.Line>()
      const disk = yield* Journal.makeMemoryDisk
      yield* Effect.forkScoped(
        serve({
          lines: Mailbox.toStream(input),
          write: (line) => Effect.sync(() => onLine(line)),
          deadline,
          journal: () => JournalStore.layerMemory(disk)
        }).pipe(
          Effect.catchAll((error) => Effect.dieMessage(`${name}: ${error.message}`)),
          Effect.provide(Logger.remove(Logger.defaultLogger))
        )
      )
      const cut = Lines.make(longestLine)
      return {
        feed: (line) => {
          for (const text of cut(`${line}\n`)) input.unsafeOffer(text)
        }
      }
    })

const root = fileURLToPath(new URL("../../..", import.meta.url))
const fromVitest = createRequire(createRequire(import.meta.url).resolve("vitest/package.json"))
const viteNode = join(dirname(fromVitest.resolve("vite-node/package.json")), "vite-node.mjs")

/** The program itself, killed without a warning when the scope closes. */
export const program =
  (env: Record<string, string>): Start =>
  (_name, onLine) =>
    Effect.map(
      Effect.acquireRelease(
        Effect.sync((): ChildProcess => {
          const args = [
            viteNode,
            "--config",
            join(root, ".config/vitest.config.ts"),
            join(root, "apps/maelstrom/src/bin.ts")
          ]
          const child = spawn(process.execPath, args, {
            env: { ...process.env, ...env },
            stdio: ["pipe", "pipe", "ignore"]
          })
          const cut = Lines.make(longestLine)
          child.stdout!.setEncoding("utf8").on("data", (chunk: string) => {
            for (const line of cut(chunk)) if ("text" in line) onLine(line.text)
          })
          // A node that is gone reads nothing more.
          child.stdin!.on("error", () => undefined)
          return child
        }),
        (child) =>
          Effect.async<void>((resume) => {
            if (child.exitCode !== null || child.signalCode !== null) return resume(Effect.void)
            child.once("exit", () => resume(Effect.void))
            child.kill("SIGKILL")
          })
      ),
      (child) => ({ feed: (line: string) => void child.stdin!.write(`${line}\n`) })
    )

/** A client that reads, writes and swaps, one request after the other, and writes down what it sees. */
export const client = (
  maelstrom: Maelstrom,
  options: {
    readonly name: string
    readonly operations: number
    readonly seeded: Seeded.Seeded
    readonly recorder: History.Recorder
    readonly keys: number
    /** The nodes that it asks, one at a time. */
    readonly nodes: ReadonlyArray<string>
    /** Called before each operation. */
    readonly before: () => void
  }
) =>
  Effect.gen(function* () {
    const { before, keys, name, nodes, operations, recorder, seeded } = options
    for (let i = 0; i < operations; i++) {
      before()
      const key = seeded.below(keys)
      const [type, input, fields] = seeded.pick([
        ["read", null, {}] as const,
        valueOf("write", seeded.below(5)),
        swap(seeded.below(5), seeded.below(5))
      ])
      const call = recorder.call({ client: name, key: String(key), name: type, input })
      const node = seeded.pick(nodes)
      const answer = Option.getOrUndefined(yield* maelstrom.ask(name, node, { type, key, ...fields }))
      if (answer === undefined) call.unknown()
      else if (answer.type === `${type}_ok`) call.ok(type === "read" ? answer["value"] : null)
      else if (answer["code"] === 20 && type === "read") call.ok(null)
      else if (answer["code"] === 20 || answer["code"] === 22) call.fail()
      else if (answer["code"] === 11) call.fail("unavailable")
      else if (answer["code"] === 0) call.unknown()
      else return yield* Effect.dieMessage(`${name} was told ${JSON.stringify(answer)}`)
    }
  })

const valueOf = (type: "write", value: number) => [type, value, { value }] as const
const swap = (from: number, to: number) => ["cas", [from, to], { from, to }] as const
