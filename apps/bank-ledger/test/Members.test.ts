/**
 * Members of a cluster of real processes change by the command line, and one whose journal is gone is refused.
 */
import { assert, it } from "@effect/vitest"
import { Client } from "@synod/client"
import { Effect, Layer } from "effect"
import { rmSync } from "node:fs"
import { join } from "node:path"
import { Bank } from "../src/Bank.js"
import { account } from "./fixtures.js"
import * as Processes from "./Processes.js"

it.scopedLive(
  "members change: a new replica takes the place of one, others may be killed then, and a lost journal is refused",
  () =>
    Effect.gen(function* () {
      const data = yield* Processes.directory
      const ports = yield* Processes.freePorts(4)
      const place = (node: number) => `127.0.0.1:${ports[node - 1]}`
      const places = (...nodes: ReadonlyArray<number>) => nodes.map((node) => `${node}=${place(node)}`).join(",")
      const journal = (node: number) => join(data, `${node}.sqlite`)
      const serve = (node: number, begin: string, members: string) =>
        Processes.serve("--begin", begin, "--node", String(node), "--members", members, "--journal", journal(node))
      const founders = [1, 2, 3]
      const [one, two] = yield* Effect.all(
        [
          ...founders.map((node) => serve(node, "found", places(...founders))),
          serve(4, "join", places(...founders, 4))
        ],
        { concurrency: "unbounded" }
      )
      // It is told of the founders only.
      const servers = Object.fromEntries(founders.map((node) => [node, { host: "127.0.0.1", port: ports[node - 1]! }]))
      const context = yield* Layer.build(Client.layer(Bank, { cluster: "bank", servers }))
      const bank = yield* Effect.provide(Bank.client, context)
      const open = (name: string) =>
        bank.OpenAccount({ account: account(name), side: "Debit", overdraft: { _tag: "None" } })
      yield* open("a")

      const changed = yield* Processes.run(
        ...["members", "--servers", places(...founders), "change"],
        ...["--voters", `2,3,${places(4)}`, "--timeout", "30"]
      )
      assert.deepStrictEqual(
        [changed.code, changed.output],
        [0, `epoch 3: voters 2, 3, 4, quorums Majority\nnode 4 at ${place(4)}`],
        changed.error
      )
      yield* Processes.end(one!, "SIGKILL")
      yield* Processes.end(two!, "SIGKILL")
      // Nothing is chosen without the new one from here on.
      yield* open("b")
      const shown = yield* Processes.run("members", "--servers", places(3, 4))
      assert.deepStrictEqual([shown.code, shown.output], [0, changed.output], shown.error)

      for (const suffix of ["", "-wal", "-shm"]) rmSync(`${journal(2)}${suffix}`, { force: true })
      const back = yield* Processes.run(
        ...["serve", "--begin", "found", "--node", "2", "--members", places(...founders), "--journal", journal(2)]
      )
      assert.strictEqual(back.code, 1)
      assert.include(back.error, "The journal of node 2 is not the one that its cluster knows it by, node 3 says.")
      assert.include(back.error, "have a replica with a new number join, and then remove node 2 from the members")
      yield* open("c")
    }).pipe(Effect.timeout("100 seconds")),
  120_000
)
