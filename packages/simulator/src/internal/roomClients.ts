/**
 * The clients of a room: who has which session, what each of them has asked and been told.
 */
import type { Entry, NodeId } from "@synod/paxos"
import * as Lock from "./storyLock.js"
import { Refused } from "./storyRefused.js"

export interface Client {
  readonly name: string
  session: number | undefined
  /** The sequence of its latest request; 0 before the first. */
  sequence: number
  readonly told: Array<{ readonly node: NodeId.NodeId; readonly told: Told }>
}

/** The reply to a request, or why there is none. */
export type Told = Lock.Told | { readonly _tag: "Elsewhere"; readonly reason: string }

export class Clients {
  private readonly byName = new Map<string, Client>()

  get all(): ReadonlyArray<Client> {
    return Array.from(this.byName.values())
  }

  add(name: string, session: number | undefined): Client {
    if (this.byName.has(name)) throw new Refused("a new name", `${name}, who is here already`)
    const client: Client = { name, session, sequence: 0, told: [] }
    this.byName.set(name, client)
    return client
  }

  get(name: string): Client {
    const client = this.byName.get(name)
    if (client !== undefined) return client
    const names = Array.from(this.byName.keys())
    throw new Refused(names.length === 0 ? "a client, and there is none yet" : `a client (${names.join(", ")})`, name)
  }

  /** The request for the lock: a new one, or the latest one once more. */
  request(client: Client, again: boolean): Uint8Array {
    if (client.session === undefined) throw new Refused(`${client.name} to have a session`, "none")
    if (again && client.sequence === 0) throw new Refused(`${client.name} to have asked before`, "no request")
    if (!again) client.sequence++
    return Lock.acquireBatch(client.session, client.sequence, client.name)
  }

  /** What an entry holds, by the name of who asked for it: `alice`, and `alice#2` for her second request. */
  label = (entry: Entry.Entry): string => {
    if (entry._tag === "StopSign") return `the end of epoch ${entry.epoch}`
    const asked = Lock.asked(entry.batch)
    if (asked._tag === "Open") return "a session"
    const name = this.all.find(({ session }) => session === asked.session)?.name ?? `session ${asked.session}`
    return asked.sequence > 1 ? `${name}#${asked.sequence}` : name
  }
}
