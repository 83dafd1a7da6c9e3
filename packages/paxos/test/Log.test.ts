import { Entry, Log } from "@synod/paxos"
import { assert, describe, it } from "vitest"
import * as Random from "./Random.js"
import { entries, letters, slot } from "./Story.js"

/** What a log is: an array, and how much of its beginning is no longer held. */
interface Model {
  readonly log: Log.Log
  readonly all: ReadonlyArray<Entry.Entry>
  readonly base: number
}

const agrees = ({ all, base, log }: Model) => {
  assert.deepStrictEqual([log.base, log.through], [slot(base), slot(all.length)])
  const held = Log.slice(log, log.base)
  const same = held.length === all.length - base && held.every((entry, i) => entry === all[base + i])
  assert.isTrue(same, "it holds the same entries")
  for (const i of [0, base, base + 1, all.length, all.length + 1]) {
    assert.strictEqual(Log.get(log, slot(i)), i > base ? all[i - 1] : undefined, `slot ${i}`)
  }
}

describe("Log", () => {
  it("holds what a plain array holds, in every version that was ever made", () => {
    for (let seed = 1; seed <= 100; seed++) {
      const random = Random.make(seed)
      const versions: Array<Model> = [{ log: Log.empty(), all: [], base: 0 }]
      let written = 0
      const fresh = (count: number) =>
        Array.from({ length: count }, () => Entry.commands(written++, new Uint8Array(random.below(4))))
      for (let i = 0; i < 100; i++) {
        // Mostly the newest version goes on, and sometimes an old one does.
        const { all, base, log } = random.chance(0.8) ? versions[versions.length - 1]! : random.pick(versions)
        const to = base + random.below(all.length - base + 1)
        versions.push(
          random.pick([
            () => {
              const added = fresh(random.below(20))
              return { log: Log.append(log, added), all: [...all, ...added], base }
            },
            () => ({ log: Log.truncate(log, slot(to)), all: all.slice(0, to), base }),
            () => ({ log: Log.evict(log, slot(to)), all, base: to })
          ])()
        )
      }
      for (const version of versions) agrees(version)
    }
  })

  it("shares its entries with the version before, and copies them after a suffix was replaced", () => {
    const one = Log.make(slot(0), entries("ab"))
    const longer = Log.append(one, entries("c"))
    const other = Log.append(one, entries("d"))
    assert.isTrue(Log.sharesAllOf(longer, one))
    assert.isTrue(Log.sharesAllOf(Log.evict(longer, slot(1)), one))
    assert.isFalse(Log.sharesAllOf(one, longer))
    assert.isFalse(Log.sharesAllOf(other, one))
    assert.deepStrictEqual(
      [longer, other].map((log) => letters(Log.slice(log, slot(0)))),
      ["abc", "abd"]
    )
  })

  it("reaches as far as the bytes go, and over one entry at least", () => {
    const log = Log.make(slot(3), entries("abcd"))
    const size = Entry.sizeOf(entries("a")[0]!)
    assert.strictEqual(Log.reach(log, slot(3), 2 * size), 5)
    assert.strictEqual(Log.reach(log, slot(3), 2 * size - 1), 4)
    assert.strictEqual(Log.reach(log, slot(4), 0), 5)
    assert.strictEqual(Log.reach(log, slot(5), 1000), 7)
    assert.strictEqual(Log.reach(log, slot(7), 1000), 7)
    assert.strictEqual(Log.reach(log, slot(9), 1000), 9)
  })

  it("refuses to tell, or to cut, what it no longer holds", () => {
    const log = Log.make(slot(3), entries("abcd"))
    assert.throws(() => Log.slice(log, slot(2)), "slot 3 is not in memory: the log starts after 3")
    assert.throws(() => Log.reach(log, slot(2), 100), "slot 3 is not in memory: the log starts after 3")
    assert.throws(() => Log.truncate(log, slot(2)), "can't end the log at 2: it starts after 3")
  })
})
