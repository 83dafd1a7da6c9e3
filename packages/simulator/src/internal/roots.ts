/**
 * Effect keeps every fiber that was started at the top until it ends. Those of a simulated process that crashed never do,
 * and each of them would keep its whole world in memory.
 */
import type * as Fiber from "effect/Fiber"
import { globalValue } from "effect/GlobalValue"

/** Runs something and forgets the fibers that it leaves behind. They must never be run again. @internal */
export const forgetting = <A>(run: () => A): A => {
  const { roots } = globalValue(Symbol.for("effect/FiberScope/Global"), () => ({
    roots: new Set<Fiber.RuntimeFiber<unknown, unknown>>()
  }))
  const before = new Set(roots)
  try {
    return run()
  } finally {
    for (const fiber of roots) if (!before.has(fiber)) roots.delete(fiber)
  }
}
