/**
 * A process of its own with three members, on files: `child.ts <directory>`. It proposes without end, and prints a line for each register
 * that it was told is decided.
 */
import { InProcess, Register } from "@synod/register"
import { Effect, Schema } from "effect"
import { writeSync } from "node:fs"

const Owner = Register.make("owner", { value: Schema.Int })

/** Requests at once. */
const width = 16

const program = Effect.gen(function* () {
  for (let first = 0; ; first += width) {
    yield* Effect.forEach(
      Array.from({ length: width }, (_, i) => first + i),
      (n) => Effect.map(Owner.propose(`door ${n}`, n), ({ value }) => writeSync(1, `${n} ${value}\n`)),
      { concurrency: "unbounded" }
    )
  }
}).pipe(Effect.provide(InProcess.layer({ directory: process.argv[2]! })))

void Effect.runPromise(program)
