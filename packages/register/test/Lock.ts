/**
 * The lock of the lectures, on registers: grant number n is a register that holds whose it is, and another one tells that it was given
 * back. The number fences: whoever guards what is locked refuses a lower one than it has seen.
 */
import { Register } from "@synod/register"
import { Data, Effect, Option, Schema } from "effect"

const Grant = Register.make("lock", { value: Schema.String })
const Return = Register.make("lock-returned", { value: Schema.Boolean })

export class Held extends Data.TaggedError("Held")<{ readonly by: string; readonly number: number }> {}

const at = (name: string, number: number) => `${name}/${number}`

/** The number of the grant, the same however often its owner asks. `from`: a grant that is known to have been given back before. */
export const acquire = (name: string, owner: string, from = 1) =>
  Effect.gen(function* () {
    for (let number = from; ; number++) {
      const { mine, value: by } = yield* Grant.propose(at(name, number), owner)
      const returned = yield* Return.read(at(name, number))
      if (Option.isSome(returned)) continue
      return mine ? number : yield* new Held({ by, number })
    }
  })

export const release = (name: string, number: number) => Return.propose(at(name, number), true)

/** Who holds it now, as far as grants were made. */
export const holder = (name: string, number: number) => Grant.read(at(name, number))
