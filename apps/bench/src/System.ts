/**
 * What is measured: a replicated log of three members on this machine. One file a system, in a list in `Systems`.
 */
import type { Effect, Scope } from "effect"
import { Data } from "effect"
import type { Load, Sample } from "./Load.js"

/**
 * `embedded`: the load runs in the leader's process. `remote`: it runs in a process of its own, and speaks to the leader
 * over TCP.
 */
export type Client = "embedded" | "remote"

export const clients: ReadonlyArray<Client> = ["embedded", "remote"]

/** One thing that is measured. */
export interface Point {
  readonly client: Client
  readonly operation: Load["operation"]
  readonly inFlight: number
}

export interface System {
  /** What keeps it from being measured here, in one sentence; nothing for most. */
  readonly lacks: () => string | undefined
  /** What can be measured of it. */
  readonly offers: (client: Client, operation: Load["operation"]) => boolean
  /** As it stands in the table. */
  readonly name: string
  /** Starts three members, with their data in the directory; they end with the scope. */
  readonly start: (place: Place) => Effect.Effect<Running, SystemFailed, Scope.Scope>
}

export interface Place {
  /** An empty directory. */
  readonly directory: string
  /** Where each process leaves its CPU profile when it ends, if anywhere. */
  readonly profiles: string | undefined
}

export interface Running {
  /** The processes of its members. */
  readonly processes: ReadonlyArray<number>
  readonly measure: (client: Client, load: Load) => Effect.Effect<Sample, SystemFailed>
}

/** A system could not be started, or a command failed. */
export class SystemFailed extends Data.TaggedError("SystemFailed")<{
  readonly system: string
  readonly reason: string
}> {
  override get message(): string {
    return `${this.system} can't be measured: ${this.reason}`
  }
}
