/**
 * What every store of registers must do, whatever it is kept on.
 */
import { describe, expect, it } from "@effect/vitest"
import type { JournalError } from "@synod/journal"
import { Ballot, NodeId, type RegisterAcceptor } from "@synod/paxos"
import type { RegisterStore } from "@synod/register"
import { Effect, type Scope } from "effect"

/** Somewhere that outlives the stores which are opened there. */
export interface Place {
  readonly open: Effect.Effect<RegisterStore.RegisterStore["Type"], JournalError.OpenError, Scope.Scope>
}

export const state = (round: number, value?: string, decided = false): RegisterAcceptor.State => ({
  promised: Ballot.make(round, NodeId.make(2)),
  life: 2 ** 53 - 1,
  accepted:
    value === undefined ? null : { ballot: Ballot.make(round, NodeId.make(2)), value: new TextEncoder().encode(value) },
  decided
})

export const storeSuite = (driver: string, makePlace: Effect.Effect<Place, never, Scope.Scope>) =>
  describe(driver, () => {
    it.scoped("holds nothing at first", () =>
      Effect.gen(function* () {
        const store = yield* (yield* makePlace).open
        expect(yield* store.read(["a", "b"])).toEqual(new Map())
        expect(yield* store.read([])).toEqual(new Map())
      })
    )

    it.scoped("keeps registers across restarts, and the last state of each", () =>
      Effect.gen(function* () {
        const place = yield* makePlace
        const states = new Map([
          ["a", state(1)],
          ["b", state(2, "")],
          ["ключ \u0000'\"", state(3, "x".repeat(60_000), true)]
        ])
        yield* Effect.scoped(
          Effect.gen(function* () {
            const store = yield* place.open
            yield* store.write(new Map([["a", state(0, "old")]]), 5)
            yield* store.write(states, 10)
            expect(yield* store.read(Array.from(states.keys()))).toEqual(states)
          })
        )
        const store = yield* place.open
        expect(yield* store.read(["none", ...states.keys()])).toEqual(states)
        yield* store.recover
        expect(yield* store.read(["a"])).toEqual(new Map([["a", state(1)]]))
      })
    )

    it.scoped("takes a thousand registers in one write", () =>
      Effect.gen(function* () {
        const store = yield* (yield* makePlace).open
        const states = new Map(Array.from({ length: 1000 }, (_, i) => [`k${i}`, state(i + 1, `v${i}`)] as const))
        yield* store.write(states, 1)
        expect(yield* store.read(Array.from(states.keys()))).toEqual(states)
      })
    )

    it.scoped("forgets what was decided before a time, some at a time, and nothing else", () =>
      Effect.gen(function* () {
        const store = yield* (yield* makePlace).open
        yield* store.write(new Map([["old", state(1, "x", true)]]), 10)
        yield* store.write(new Map([["older", state(1, "x", true)]]), 5)
        yield* store.write(new Map([["young", state(1, "x", true)]]), 30)
        yield* store.write(new Map([["undecided", state(1, "x")]]), 1)
        expect(yield* store.forget(20, 1)).toHaveLength(1)
        yield* store.forget(20, 10)
        expect(yield* store.forget(20, 10)).toEqual([])
        const left = yield* store.read(["old", "older", "young", "undecided"])
        expect(Array.from(left.keys()).sort()).toEqual(["undecided", "young"])
      })
    )

    it.scoped("has one owner at a time, and answers nobody once it is closed", () =>
      Effect.gen(function* () {
        const place = yield* makePlace
        const closed = yield* Effect.scoped(
          Effect.gen(function* () {
            const store = yield* place.open
            expect((yield* Effect.flip(Effect.scoped(place.open)))._tag).toBe("JournalLocked")
            return store
          })
        )
        expect((yield* Effect.flip(closed.read(["a"])))._tag).toBe("JournalFailed")
        expect((yield* Effect.flip(closed.write(new Map([["a", state(1)]]), 1)))._tag).toBe("JournalFailed")
        expect((yield* Effect.flip(closed.recover))._tag).toBe("JournalFailed")
      })
    )
  })
