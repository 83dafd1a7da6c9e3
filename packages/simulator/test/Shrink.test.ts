import { type History, Linearizability, Models, Shrink, Timeline } from "@synod/simulator"
import { FastCheck } from "effect"
import { assert, describe, it } from "vitest"
import { hasOrder, histories, initials, operation, references } from "./Histories.js"

const model = Models.register(0)

const failing = (history: History.History): Linearizability.NotLinearizable | undefined => {
  const verdict = Linearizability.check(model, history)
  return verdict._tag === "NotLinearizable" ? verdict : undefined
}

describe("a failing history", () => {
  it("is shrunk to answers that no choice of the others explains, and none of which can go", () => {
    let shrunk = 0
    FastCheck.assert(
      FastCheck.property(histories("register", 7), (history) => {
        const failed = failing(history)
        if (failed === undefined) return
        shrunk++
        const { free, isMinimal, kept } = Shrink.shrink(model, failed)
        assert.isTrue(isMinimal)
        const has = (some: History.History): boolean => hasOrder(references.register, initials.register, some)
        assert.isFalse(has(kept), "what is kept has no order")
        for (const one of kept) {
          const rest = kept.filter((other) => other !== one)
          const freed = one.name === "read" ? [] : [{ ...one, outcome: "unknown" as const, output: null }]
          assert.strictEqual(Linearizability.check(model, [...rest, ...free, ...freed])._tag, "Linearizable")
        }
      }),
      { numRuns: 400, seed: 21 }
    )
    assert.isAbove(shrunk, 100)
  })

  it("keeps the write that made a read stale, and lets all else go", () => {
    const history = [
      operation(1, "write", 1, null, 0, 1),
      operation(2, "read", null, 1, 2, 3),
      operation(1, "write", 2, null, 4, 5),
      operation(2, "read", null, 2, 6, 7),
      operation(3, "read", null, 1, 8, 9),
      operation(3, "write", 1, null, 10, 11)
    ]
    const { free, isMinimal, kept, verdict } = Shrink.shrink(model, failing(history)!)
    assert.deepStrictEqual(kept, history.slice(3, 5))
    assert.deepStrictEqual(
      free.map(({ call, outcome }) => [call, outcome]),
      [
        [0, "unknown"],
        [4, "unknown"]
      ]
    )
    assert.strictEqual(verdict.culprit, history[4])
    assert.deepStrictEqual(verdict.states, ["2"])
    assert.isTrue(isMinimal)
  })

  it("stays as it is where nothing may be spent", () => {
    const history = [operation(1, "write", 1, null, 0, 1), operation(2, "read", null, 0, 2, 3)]
    const { isMinimal, kept } = Shrink.shrink(model, failing(history)!, { checks: 0 })
    assert.deepStrictEqual(kept, history)
    assert.isFalse(isMinimal)
  })
})

describe("a picture", () => {
  const evil = `<script>"x"&'y'</script>\u0000`
  const history = [
    operation("a", "write", 1, null, 0, 10),
    operation(evil, "cas", [7, 8], null, 3),
    operation("b", "read", null, 0, 20, 30)
  ]
  const shrunk = Shrink.shrink(model, failing(history)!)
  const picture = Timeline.failure(model, evil, shrunk, history)

  it("as text has a line for each operation, with marks, bars and what was asked", () => {
    const lines = Timeline.text({ ...picture, title: "title" }).split("\n")
    assert.strictEqual(lines[0], "title")
    assert.isTrue(
      lines.some((line) => /^! +a \[─+\] +write 1$/.test(line)),
      lines.join("\n")
    )
    assert.isTrue(
      lines.some((line) => /^► +b +\[─+\] +read → 0$/.test(line)),
      lines.join("\n")
    )
    assert.isTrue(
      lines.some((line) => / \[─+… cas \[7,8\] → \?$/.test(line)),
      lines.join("\n")
    )
  })

  it("as a page stands alone, and shows what clients sent as text", () => {
    const page = Timeline.html(picture)
    assert.notInclude(page, "<script")
    assert.notMatch(page, /https?:|url\(|@import|\u0000/)
    assert.include(page, "&lt;script&gt;&quot;x&quot;&amp;&#39;y&#39;&lt;/script&gt;\ufffd")
    assert.include(page, 'class="window"')
    assert.include(page, "prefers-color-scheme:dark")
    assert.strictEqual(page.split('class="bar ').length - 1, 3)
    assert.strictEqual(page.split('class="bar ok culprit"').length - 1, 1)
    assert.deepStrictEqual(unclosed(page), [])
  })
})

/** The elements that are not closed in the order in which they were opened. */
const unclosed = (page: string): ReadonlyArray<string> => {
  const open: Array<string> = []
  for (const [, slash, name] of page.replace(/<style>.*?<\/style>/s, "").matchAll(/<(\/?)([a-z0-9]+)[^>]*>/g)) {
    if (name === "meta") continue
    if (slash === "") open.push(name!)
    else if (open.pop() !== name) return [`</${name}>`]
  }
  return open
}
