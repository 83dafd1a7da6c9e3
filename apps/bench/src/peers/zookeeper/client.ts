/**
 * The process that asks ZooKeeper: sets of nodes that exist, and reads behind a sync, each on a session with the leader; and sets that
 * are tried again at every member.
 */
import { Effect, Schema } from "effect"
import * as Callers from "../../Callers.js"
import * as Insist from "../../Insist.js"
import { Load } from "../../Load.js"
import { keyOf, value } from "../../synod/KeyValue.js"
import * as Worker from "../../Worker.js"
import * as Session from "./Session.js"

const { host, port, ports } = Schema.decodeUnknownSync(
  Schema.Struct({ host: Schema.String, port: Schema.Int, ports: Schema.Array(Schema.Int) })
)(Worker.settings())
const load = Schema.decodeUnknownSync(Load)

/** As many nodes as other systems have keys. */
const keys = 10_000
const data = Buffer.from(value)
const pathOf = (n: number): string => `/${keyOf(n)}`

const prepare = async () => {
  const session = await Session.connect(host, port)
  const create = (n: number) =>
    new Promise<void>((resolve, reject) => {
      session.create(pathOf(n), data, (failure) => (failure === undefined ? resolve() : reject(failure)))
    })
  await Promise.all(Array.from({ length: keys }, (_, n) => create(n)))
  // ZooKeeper has been seen to hold a read back behind a write of the same session that was answered, until somebody else writes.
  return { writing: session, reading: await Session.connect(host, port) }
}
const prepared = prepare()
// Whoever asks is told.
prepared.catch(() => undefined)

let next = 0
const path = (): string => {
  next = (next + 1) % keys
  return pathOf(next)
}

/** Sessions with all members, made anew when they are lost. */
const sessions: Array<Promise<Session.Session> | undefined> = []
const attempt = (member: number) =>
  Effect.tryPromise(async () => {
    const connecting = (sessions[member] ??= Session.connect(host, ports[member]!))
    try {
      const session = await connecting
      await new Promise<void>((resolve, reject) =>
        session.set(path(), data, (failure) => (failure === undefined ? resolve() : reject(failure)))
      )
    } catch (error) {
      // Another caller may have begun a new one.
      if (sessions[member] === connecting) sessions[member] = undefined
      throw error
    }
  })

Worker.serve({
  prepared: async () => void (await prepared),
  ...Insist.make(ports.length, attempt),
  measure: async (argument) => {
    const { reading, writing } = await prepared
    const asked = load(argument)
    return Callers.run(
      asked,
      asked.operation === "put" ? (done) => writing.set(path(), data, done) : (done) => reading.read(path(), done)
    )
  }
})
