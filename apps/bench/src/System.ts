/**
 * What is measured: a replicated log of three members on this machine. One file a system, in a list in `Systems`.
 */
import type { Effect, Scope } from "effect"
import { Data } from "effect"
import type { Insist, Timeline } from "./Insist.js"
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
  /** The processes of its members, when they started. */
  readonly processes: ReadonlyArray<number>
  /** The processes of its remote clients. */
  readonly clients: ReadonlyArray<number>
  readonly measure: (client: Client, load: Load) => Effect.Effect<Sample, SystemFailed>
  /** None of a system that survives nothing. */
  readonly members: Members | undefined
}

/** Members that can be lost and brought back, by their places from 0 on, and the callers who are there meanwhile. */
export interface Members {
  readonly leader: Effect.Effect<number, SystemFailed>
  /** `kill -9`; it is gone then. */
  readonly kill: (member: number) => Effect.Effect<void, SystemFailed>
  /** With what is on its disk. */
  readonly start: (member: number) => Effect.Effect<void, SystemFailed>
  /** Commands that are tried again until they are answered. */
  readonly insist: (asked: Insist) => Effect.Effect<Timeline, SystemFailed>
  /** Ends the callers of that id. */
  readonly enough: (id: number) => Effect.Effect<void, SystemFailed>
}

/** How many members each system has. */
export const places: ReadonlyArray<number> = [0, 1, 2]

/** A system could not be started, or a command failed. */
export class SystemFailed extends Data.TaggedError("SystemFailed")<{
  readonly system: string
  readonly reason: string
}> {
  override get message(): string {
    return `${this.system} can't be measured: ${this.reason}`
  }
}
