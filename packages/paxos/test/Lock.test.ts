/** The stories of the lecture on a lock: who holds it is decided in the first slot. A is Alice, B is Bob, C is Charlie. */
import { assert, describe, it } from "vitest"
import { Room } from "./Room.js"

const logs = (room: Room, ids: ReadonlyArray<number> = room.members) => ids.map((id) => room.log(id))

describe("Lock", () => {
  it("L1: granted", () => {
    const room = new Room(5)
    room.campaign(3)
    room.propose(3, "A")
    room.tick(3)
    assert.deepStrictEqual(logs(room), Array(5).fill("1.3 A, chosen 1"))
  })

  it("L2: two are down, come back, and one of them tries for Bob", () => {
    const room = new Room(5)
    room.online = new Set([1, 4, 5])
    room.campaign(5)
    room.propose(5, "A")
    room.tick(5)
    assert.deepStrictEqual(logs(room, [1, 4, 5]), Array(3).fill("1.5 A, chosen 1"))
    room.online = new Set(room.members)
    room.campaign(2)
    assert.deepStrictEqual(
      room.refused,
      [1, 4, 5].map((id) => `${id}: Rejected 1.2: promised 1.5, 1.5 through 1, chosen 1`)
    )
    assert.isFalse(room.leads(2))
    room.campaign(2)
    assert.isTrue(room.leads(2))
    room.tick(2)
    assert.deepStrictEqual(logs(room), Array(5).fill("2.2 A, chosen 1"), "Alice holds it, and all have caught up")
    room.propose(2, "B")
    room.tick(2)
    assert.deepStrictEqual(logs(room), Array(5).fill("2.2 AB, chosen 2"), "Bob comes second")
  })

  it("L3: the proposer dies midway, and the next one finishes Alice's commit", () => {
    const room = new Room(5)
    // Node 3 prepared 1.3, and its Accept reached nodes 1 and 2 alone.
    room.holds(1, "1.3", "A")
    room.holds(2, "1.3", "A")
    room.online = new Set([1, 4, 5])
    room.campaign(4)
    room.tick(4)
    assert.deepStrictEqual(logs(room, [1, 4, 5]), Array(3).fill("1.4 A, chosen 1"))
  })

  it("L4: three values at three ballots, none chosen: the highest that answers is taken", () => {
    for (const [online, winner] of [
      [[1, 2], "BBB"],
      [[1, 3], "C"]
    ] as const) {
      const room = new Room(3)
      room.holds(1, "1.1", "AA")
      room.holds(2, "1.2", "BBB")
      room.holds(3, "2.3", "C")
      room.online = new Set(online)
      room.campaign(1, "2.3")
      room.tick(1)
      const expected = `3.1 ${winner}, chosen ${winner.length}`
      assert.deepStrictEqual(
        logs(room, online),
        online.map(() => expected)
      )
    }
  })
})
