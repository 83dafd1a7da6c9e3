/**
 * The smallest machine that tells whether a command was performed twice or in another order: a chain of all performed
 * commands, and for each client the last one with its answer. Clients have one command under way at a time.
 *
 * @internal
 */
import { Entry } from "@synod/paxos"
import type { Epoch, Slot } from "@synod/paxos"

/** @internal */
export interface Command {
  readonly client: number
  /** Counts the client's commands, from 1. */
  readonly sequence: number
}

/** @internal */
export interface Machine {
  /** Of all commands performed, in their order. */
  digest: number
  readonly sessions: Map<number, Session>
}

interface Session {
  readonly sequence: number
  readonly slot: number
}

/** A machine as it was, which stays so. @internal */
export type Frozen = Readonly<Pick<Machine, "digest">> & { readonly sessions: ReadonlyMap<number, Session> }

/** The machine after a slot. @internal */
export interface Snapshot {
  readonly slot: Slot.Slot
  readonly machine: Frozen
  /** The epoch in which it was taken, and the ballot promised there. */
  readonly at: Epoch.At
}

/** What became of a command. */
export interface Performed {
  /** The machine has changed. */
  readonly fresh: boolean
  /** The slot that is the answer: where the command was first performed; `undefined` if a later one of its client was. */
  readonly slot: number | undefined
}

/** @internal */
export const make = (): Machine => ({ digest: 0x811c9dc5, sessions: new Map() })

/** A copy, to keep or to go on from. @internal */
export const copy = ({ digest, sessions }: Frozen): Machine => ({ digest, sessions: new Map(sessions) })

/** @internal */
export const perform = (machine: Machine, { client, sequence }: Command, slot: number): Performed => {
  const session = machine.sessions.get(client)
  if (session !== undefined && sequence <= session.sequence) {
    return { fresh: false, slot: sequence === session.sequence ? session.slot : undefined }
  }
  machine.sessions.set(client, { sequence, slot })
  machine.digest = chain(chain(machine.digest, client), sequence)
  return { fresh: true, slot }
}

/** @internal */
export const chain = (digest: number, word: number): number => {
  const mixed = Math.imul(digest ^ word, 0x01000193)
  return (mixed ^ (mixed >>> 15)) >>> 0
}

/** A number for each command. @internal */
export const keyOf = ({ client, sequence }: Command): number => client * keysPerClient + sequence

/** Commands a client can issue in one run. */
const keysPerClient = 2 ** 20

const bytesPerCommand = 6

/** @internal */
export const encode = (time: number, commands: ReadonlyArray<Command>): Entry.Entry => {
  const batch = new Uint8Array(commands.length * bytesPerCommand)
  commands.forEach(({ client, sequence }, i) => {
    batch.set(
      [client >> 8, client & 255, sequence >>> 24, (sequence >> 16) & 255, (sequence >> 8) & 255, sequence & 255],
      i * bytesPerCommand
    )
  })
  return Entry.commands(time, batch)
}

/** @internal */
export const decode = (entry: Entry.Entry): Array<Command> => {
  if (entry._tag === "StopSign") return []
  const { batch } = entry
  const commands: Array<Command> = []
  for (let i = 0; i < batch.length; i += bytesPerCommand) {
    commands.push({
      client: (batch[i]! << 8) | batch[i + 1]!,
      sequence: ((batch[i + 2]! << 24) | (batch[i + 3]! << 16) | (batch[i + 4]! << 8) | batch[i + 5]!) >>> 0
    })
  }
  return commands
}

/** As people read it: `c3#7`. @internal */
export const format = ({ client, sequence }: Command): string => `c${client}#${sequence}`
