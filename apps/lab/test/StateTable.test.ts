import { Command } from "@effect/cli"
import { NodeContext } from "@effect/platform-node"
import { expect, it } from "@effect/vitest"
import { Register, RegisterStore, Registers, Socket } from "@synod/register"
import { Context, Effect, Layer, Schema } from "effect"
import { createServer } from "node:net"
import { vi } from "vitest"
import * as StateTable from "../src/StateTable.js"

const Owner = Register.make("owner", { value: Schema.String })

/** A port that was free a moment ago. */
const freePort = Effect.async<number>((resume) => {
  const server = createServer()
  server.listen(0, "127.0.0.1", () => {
    const address = server.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    server.close(() => resume(Effect.succeed(port)))
  })
})

/** What the command prints. */
const printed = (...args: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const said: Array<string> = []
    const log = vi.spyOn(console, "log").mockImplementation((line: string) => void said.push(line))
    yield* Command.run(StateTable.command, { name: "state-table", version: "0" })([
      "node",
      "state-table",
      ...args
    ]).pipe(Effect.provide(NodeContext.layer))
    log.mockRestore()
    return said.join("\n").split("\n")
  })

it.scopedLive(
  "state-table shows what live members hold of a register, and who does not answer",
  () =>
    Effect.gen(function* () {
      const members: Record<number, { host: string; port: number }> = {}
      for (const node of [1, 2, 3]) members[node] = { host: "127.0.0.1", port: yield* freePort }
      const start = (node: number) =>
        Effect.map(
          Layer.build(
            Socket.layerStore({ cluster: "test", members, node }).pipe(Layer.provide(RegisterStore.layerMemory))
          ),
          Context.get(Registers.Registers)
        )
      const [one] = yield* Effect.all([start(1), start(2)], { concurrency: "unbounded" })
      yield* Effect.provideService(Owner.propose("door", "alice"), Registers.Registers, one)

      const where = Object.entries(members).map(([node, { host, port }]) => `${node}=${host}:${port}`)
      const common = ["--cluster", "test", "--members", where.join()]
      const table = yield* printed(...common, "owner/door")
      expect(table.slice(0, 2)).toEqual([
        "owner/door  node 1     node 2     node 3",
        '1.1         ["alice"]  ["alice"]  ?'
      ])
      expect(table[table.length - 1]).toContain("[v] decided")

      const empty = yield* printed(...common, "owner/window")
      expect(empty[0]).toBe("owner/window  node 1  node 2  node 3")
      expect(empty[1]).toBe("")

      const nonsense = yield* Effect.either(printed(...common, "--quorums", "most", "owner/door"))
      expect(nonsense).toMatchObject({ left: { message: expect.stringContaining('"most" is no quorum system') } })
    }),
  60_000
)
