#!/usr/bin/env node
/**
 * The command lines of the simulator: each of them is one module beside this one.
 */
import { Command, ValidationError } from "@effect/cli"
import { NodeContext, NodeRuntime } from "@effect/platform-node"
import { Cause, Console, Effect, Either } from "effect"
import * as Chaos from "./Chaos.js"
import * as CheckHistory from "./CheckHistory.js"
import * as ModelCheck from "./ModelCheck.js"
import * as Mutants from "./Mutants.js"
import * as PlanQuorums from "./PlanQuorums.js"
import * as Simulate from "./Simulate.js"
import * as StateTable from "./StateTable.js"

const lab = Command.make("lab").pipe(
  Command.withDescription("What tries to break Synod."),
  Command.withSubcommands([
    Chaos.command,
    CheckHistory.command,
    ModelCheck.command,
    Mutants.command,
    PlanQuorums.command,
    Simulate.command,
    StateTable.command
  ])
)

/** A person at a terminal is told what happened, not where in the code. */
const report = (cause: Cause.Cause<{ readonly message: string } | ValidationError.ValidationError>) => {
  if (Cause.isInterruptedOnly(cause)) return Effect.void
  return Either.match(Cause.failureOrCause(cause), {
    // What is wrong with the arguments was shown with the usage already.
    onLeft: (error) => (ValidationError.isValidationError(error) ? Effect.void : Console.error(error.message)),
    onRight: (defect) => Console.error(`The command came to an unexpected end: ${Cause.pretty(Cause.die(defect))}`)
  })
}

Command.run(lab, { name: "lab", version: "0.1.0" })(process.argv).pipe(
  Effect.tapErrorCause(report),
  Effect.provide(NodeContext.layer),
  NodeRuntime.runMain({ disableErrorReporting: true })
)
