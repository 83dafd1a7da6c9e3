import { assert, describe, it } from "@effect/vitest"
import { Session } from "@synod/state-machine"
import { FastCheck } from "effect"

const answer = (n: number) => Uint8Array.of(n)

describe("Session", () => {
  it("holds what was recorded and not acknowledged, in every version, as a plain map would", () => {
    const record = FastCheck.nat(60).map((sequence) => ({ _tag: "record", sequence }) as const)
    const append = FastCheck.constant({ _tag: "append" } as const)
    const acknowledge = FastCheck.nat(60).map((through) => ({ _tag: "acknowledge", through }) as const)
    // A step goes on from any earlier version, as double application and restored snapshots do.
    const step = FastCheck.tuple(
      FastCheck.oneof(FastCheck.constant(0), FastCheck.nat(5)),
      FastCheck.oneof(
        { weight: 4, arbitrary: append },
        { weight: 2, arbitrary: record },
        { weight: 1, arbitrary: acknowledge }
      )
    )
    FastCheck.assert(
      FastCheck.property(FastCheck.array(step, { maxLength: 150 }), (steps) => {
        const versions = [{ session: Session.make(0, 0), acknowledged: 0, model: new Map<number, Uint8Array>() }]
        let count = 0
        for (const [back, change] of steps) {
          const { acknowledged, model, session } = versions.at(-1 - Math.min(back, versions.length - 1))!
          if (change._tag === "acknowledge") {
            versions.push({
              session: Session.acknowledge(session, change.through),
              acknowledged: Math.max(acknowledged, change.through),
              model: new Map([...model].filter(([sequence]) => sequence >= change.through))
            })
            continue
          }
          const sequence = change._tag === "append" ? session.next : change.sequence
          if (sequence >= acknowledged && !model.has(sequence)) {
            const bytes = answer(count++)
            versions.push({
              session: Session.record(session, sequence, bytes),
              acknowledged,
              model: new Map(model).set(sequence, bytes)
            })
          }
        }
        for (const { acknowledged, model, session } of versions) {
          assert.strictEqual(session.acknowledged, acknowledged)
          for (let sequence = 0; sequence < 250; sequence++) {
            assert.strictEqual(Session.answer(session, sequence), model.get(sequence))
          }
          const listed = Session.answers(session).flatMap((bytes, i) => (bytes ? [[acknowledged + i, bytes]] : []))
          assert.deepStrictEqual(
            listed,
            [...model].sort(([a], [b]) => a - b)
          )
        }
      })
    )
  })

  it("gives back what was acknowledged", () => {
    let session = Session.make(0, 0)
    for (let sequence = 0; sequence < 10_000; sequence++) {
      session = Session.record(Session.acknowledge(session, sequence - 4), sequence, answer(1))
    }
    assert.isTrue(session.buffer.length < 100, `${session.buffer.length} answers are held for 5`)
  })
})
