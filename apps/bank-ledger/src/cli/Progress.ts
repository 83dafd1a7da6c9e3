/**
 * A progress bar on standard error: redrawn in place on a terminal, a line every tenth elsewhere.
 */
import { Clock, Context, Effect, Layer } from "effect"

export class Progress extends Context.Tag("@synod/bank-ledger/Progress")<
  Progress,
  {
    /** Begins a bar of `total` steps; run the effect it gives after each. */
    readonly start: (label: string, total: number) => Effect.Effect<Effect.Effect<void>>
  }
>() {}

/** Cells of the bar. */
const cells = 32

/** Milliseconds between redraws; more often only costs time. */
const interval = 100

const bar = (label: string, done: number, total: number, seconds: number): string => {
  const filled = Math.round((cells * done) / total)
  const rate = seconds > 0 ? `  ${Math.round(done / seconds)}/s` : ""
  return `${label}  ${"█".repeat(filled)}${"░".repeat(cells - filled)}  ${done}/${total}${rate}`
}

/** Shows bars on a stream such as `process.stderr`. */
export const layer = (stream: { readonly isTTY?: boolean; readonly write: (text: string) => unknown }) =>
  Layer.succeed(Progress, {
    start: (label, total) =>
      Effect.map(Clock.currentTimeMillis, (started) => {
        let done = 0
        let drawn = 0
        return Effect.map(Clock.currentTimeMillis, (now) => {
          done++
          const line = () => bar(label, done, total, (now - started) / 1000)
          if (stream.isTTY === true) {
            if (done < total && now - drawn < interval) return
            drawn = now
            stream.write(`\r${line()}${done === total ? "\n" : ""}`)
          } else if (Math.floor((done * 10) / total) > Math.floor(((done - 1) * 10) / total)) {
            stream.write(`${line()}\n`)
          }
        })
      })
  })

/** Shows nothing. */
export const layerSilent = Layer.succeed(Progress, { start: () => Effect.succeed(Effect.void) })
