/**
 * The closed loop without fibers: callers that are callbacks.
 */
import { type Load, recorder, type Sample } from "../Load.js"
import type { Leader } from "./Leader.js"

/** As many bytes as the key and the value that other systems are sent. */
const command = Buffer.alloc(100, "v")

export const run = (load: Load, propose: Leader["propose"]): Promise<Sample> =>
  new Promise((resolve) => {
    const { ended, now, sample } = recorder(load)
    let running = load.inFlight
    const call = (): void => {
      const since = now()
      propose(command, () => {
        if (ended(since)) call()
        else if (--running === 0) resolve(sample())
      })
    }
    for (let i = 0; i < load.inFlight; i++) call()
  })
