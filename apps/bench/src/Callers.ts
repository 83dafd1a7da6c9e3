/**
 * The closed loop without fibers: callers that are callbacks.
 */
import { type Load, recorder, type Sample } from "./Load.js"

/** Begins one call; `done` is called once, and with the reason if it failed. */
export type Call = (done: (failure?: Error) => void) => void

/** Runs the load; the first call that fails ends it. */
export const run = (load: Load, begin: Call): Promise<Sample> =>
  new Promise((resolve, reject) => {
    const { ended, now, sample } = recorder(load)
    let running = load.inFlight
    const call = (): void => {
      const since = now()
      begin((failure) => {
        if (failure !== undefined) reject(failure)
        else if (ended(since)) call()
        else if (--running === 0) resolve(sample())
      })
    }
    for (let i = 0; i < load.inFlight; i++) call()
  })
