/**
 * Runs the command line as a process: standard error gets one sentence for what went wrong, and the exit code says so.
 */
import { ValidationError } from "@effect/cli"
import { NodeContext, NodeRuntime } from "@effect/platform-node"
import { Cause, Console, Effect, Either, Logger, LogLevel } from "effect"
import * as Cli from "./Cli.js"
import * as Progress from "./Progress.js"

/** Ends the process when the command has ended. */
export const run = <E extends { readonly message: string }>(
  deployment: Cli.Deployment<E, NodeContext.NodeContext>,
  args: ReadonlyArray<string>
): void =>
  Cli.make(deployment)(args).pipe(
    Effect.tapErrorCause(report),
    Effect.provide([
      NodeContext.layer,
      Progress.layer(process.stderr),
      Logger.replace(Logger.defaultLogger, Logger.prettyLogger({ stderr: true })),
      // What ends a command is reported by `report`; what a replica logs on the way would only repeat it.
      Logger.minimumLogLevel(LogLevel.None)
    ]),
    NodeRuntime.runMain({ disableErrorReporting: true })
  )

/** No stack traces: a person at a terminal is told what happened, not where in the code. */
const report = (
  cause: Cause.Cause<{ readonly message: string } | ValidationError.ValidationError>
): Effect.Effect<void> => {
  if (Cause.isInterruptedOnly(cause)) return Effect.void
  return Either.match(Cause.failureOrCause(cause), {
    onLeft: (error) =>
      // What is wrong with the arguments was shown with the usage already.
      ValidationError.isValidationError(error) ? Effect.void : Console.error(error.message),
    onRight: (defect) => Console.error(`The command came to an unexpected end: ${oneLine(Cause.squash(defect))}.`)
  })
}

const oneLine = (defect: unknown): string =>
  (defect instanceof Error ? defect.message : String(defect)).split("\n", 1)[0] ?? ""
