/**
 * A database in memory: for tests, and for simulated disks, which keep its bytes.
 */
import type { Database, Image, Incoming } from "../SqlStore.js"
import { Busy } from "../SqlStore.js"
import { connect, type Sqlite } from "./sqlite.js"

/** Small pages, since what is kept here is small and copied often. */
const pageBytes = 1024

export interface MemoryDatabase extends Database {
  /** All of it as bytes. */
  readonly bytes: () => Uint8Array
}

/** With this content, or empty. */
export const open = (content?: Uint8Array): MemoryDatabase => {
  let connection = connected(content)
  const plain = connect(":memory:")
  const images = new Set<{ gone: boolean }>()

  const freeze = (): Image => {
    const bytes = connection.serialize()
    const state = { gone: false }
    images.add(state)
    let view: Sqlite | undefined
    let given = 0
    const whole = (): Uint8Array => {
      if (state.gone) throw new Busy("a snapshot has taken the place of what was frozen")
      return bytes
    }
    return {
      connection: () => (view ??= connected(whole())),
      read: (most) => {
        if (given === whole().length) return undefined
        return bytes.subarray(given, (given = Math.min(bytes.length, given + most)))
      },
      close: () => {
        images.delete(state)
        view?.close()
      }
    }
  }

  const restore = (): Incoming => {
    const pieces: Array<Uint8Array> = []
    let incoming: Sqlite | undefined
    return {
      write: (bytes) => void pieces.push(bytes),
      end: () => (incoming = connected(Buffer.concat(pieces))),
      adopt: () => {
        for (const image of images) image.gone = true
        connection.close()
        connection = incoming!
        incoming = undefined
      },
      close: () => incoming?.close()
    }
  }

  return {
    connection: () => connection,
    plain,
    begin: () => undefined,
    commit: () => void connection.exec("COMMIT"),
    sync: () => undefined,
    freeze,
    restore,
    bytes: () => connection.serialize(),
    close: () => {
      connection.close()
      plain.close()
    }
  }
}

const connected = (content: Uint8Array | undefined): Sqlite => {
  if (content === undefined) {
    const empty = connect(":memory:")
    empty.exec(`PRAGMA page_size = ${pageBytes}`)
    return empty
  }
  const bytes = Buffer.from(content)
  // A file in WAL mode says so in its header, and there is no such thing in memory.
  if (bytes.length > 19) bytes.fill(1, 18, 20)
  return connect(bytes)
}
