import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { inProcess, Maelstrom } from "./Maelstrom.js"

/** A node that is alone. */
const alone = Effect.gen(function* () {
  const maelstrom = new Maelstrom(["n1"], inProcess())
  yield* maelstrom.start("n1")
  return maelstrom
})

const only = (maelstrom: Maelstrom, code: number, bodies: ReadonlyArray<object>) =>
  Effect.forEach(bodies, (body) =>
    Effect.map(maelstrom.answer("n1", body), (answer) =>
      assert.deepInclude(answer, { type: "error", code }, JSON.stringify(body))
    )
  )

describe("a node", () => {
  it.scopedLive("reads, writes and swaps, with the error codes of the protocol", () =>
    Effect.gen(function* () {
      const maelstrom = yield* alone
      const ask = (body: object) => maelstrom.answer("n1", body)
      yield* only(maelstrom, 20, [
        { type: "read", key: 1 },
        { type: "cas", key: 1, from: 1, to: 2 }
      ])
      assert.deepStrictEqual(yield* ask({ type: "write", key: 1, value: 3 }), { type: "write_ok" })
      assert.deepStrictEqual(yield* ask({ type: "read", key: 1 }), { type: "read_ok", value: 3 })
      assert.deepStrictEqual(yield* ask({ type: "cas", key: 1, from: 3, to: 4 }), { type: "cas_ok" })
      assert.deepStrictEqual(yield* ask({ type: "cas", key: 1, from: 3, to: 5 }), {
        type: "error",
        code: 22,
        text: "expected 3, found 4"
      })
      assert.deepStrictEqual(yield* ask({ type: "read", key: 1 }), { type: "read_ok", value: 4 })
    })
  )

  it.scopedLive("takes any JSON for keys and values, and tells them apart as JSON does", () =>
    Effect.gen(function* () {
      const maelstrom = yield* alone
      const ask = (body: object) => maelstrom.answer("n1", body)
      const keys = ["1", 1, null, true, "__proto__", [], [1], {}, { a: 1, b: [null] }, "", "\n"]
      for (const [i, key] of keys.entries()) yield* ask({ type: "write", key, value: { i, key } })
      for (const [i, key] of keys.entries()) {
        assert.deepStrictEqual(yield* ask({ type: "read", key }), { type: "read_ok", value: { i, key } })
      }
      const key = { b: [null], a: 1 }
      const from = { key: { b: [null], a: 1 }, i: 8 }
      assert.deepStrictEqual(yield* ask({ type: "cas", key, from, to: null }), { type: "cas_ok" })
      assert.deepStrictEqual(yield* ask({ type: "read", key: { a: 1, b: [null] } }), { type: "read_ok", value: null })
    })
  )

  it.scopedLive("refuses what it can't do, and goes on", () =>
    Effect.gen(function* () {
      const maelstrom = yield* alone
      yield* only(maelstrom, 10, [{ type: "echo" }, { type: "txn", txn: [] }, { type: "constructor" }])
      yield* only(maelstrom, 12, [
        { type: "read" },
        { type: "write", key: 1 },
        { type: "cas", key: 1, from: 1 },
        { type: 7 },
        { type: "init", node_id: "n1", node_ids: ["n1"] }
      ])
      yield* only(maelstrom, 14, [{ type: "write", key: 1, value: "x".repeat(100_000) }])
      for (const line of [
        "",
        "no JSON",
        "[]",
        "null",
        '{"src":"c1"}',
        '{"src":"c1","dest":"n1","body":{"type":"read","key":1}}',
        '{"src":"c1","dest":"n1","body":{"type":"read_ok","in_reply_to":1}}',
        '{"src":"n2","dest":"n1","body":{"type":"synod","side":"server","start":"1","frame":"AAAA"}}',
        "[".repeat(1_000_000),
        "x".repeat(4_000_000)
      ]) {
        maelstrom.feed("n1", line)
      }
      yield* only(maelstrom, 20, [{ type: "read", key: 1 }])
    })
  )

  it.scopedLive("does nothing before it was told who it is", () =>
    Effect.gen(function* () {
      const maelstrom = new Maelstrom(["n1"], inProcess())
      yield* maelstrom.attach("n1")
      yield* only(maelstrom, 11, [{ type: "read", key: 1 }, { type: "echo" }, { type: "synod" }])
      yield* only(maelstrom, 12, [
        { type: "init" },
        { type: "init", node_id: "n1", node_ids: [] },
        { type: "init", node_id: "n1", node_ids: ["n2", "n3"] },
        { type: "init", node_id: "n1", node_ids: ["n1", "n2", "n2"] }
      ])
      const init = { type: "init", node_id: "n1", node_ids: ["n1"] }
      assert.deepStrictEqual(yield* maelstrom.answer("n1", init), { type: "init_ok" })
      yield* only(maelstrom, 20, [{ type: "read", key: 1 }])
    })
  )
})
