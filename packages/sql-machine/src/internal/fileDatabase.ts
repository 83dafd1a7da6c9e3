/**
 * A database in a file, in WAL mode, which the log can always bring up to date again.
 *
 * ```
 *   commits ──► file-wal ── checkpoint, synced ──► file ◄── frozen: read as it lies there, piece by piece
 *                                                   ▲
 *                   file-restoring: pieces, synced ─┘ renamed, when a snapshot is adopted
 * ```
 *
 * With `synchronous = NORMAL` a power failure may take the last commits, and nothing else: the file stays what it was after
 * some commit. A checkpoint makes durable what was committed before it.
 *
 * A checkpoint that got everything leaves the whole database in the file itself, and as long as a reader that began then
 * goes on, no other one may write to that file (https://sqlite.org/walformat.html, 2.3, on WAL_READ_LOCK(0)). So a frozen
 * database is the file's own bytes, and costs neither memory nor a copy; commits meanwhile make the write-ahead log longer.
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import type { Connection, Database, Image, Incoming } from "../SqlStore.js"
import { Busy } from "../SqlStore.js"
import { connect, pragma, type Sqlite } from "./sqlite.js"

export interface Config {
  /** Pages that SQLite keeps in memory, in bytes, for each of its two connections. */
  readonly cacheBytes: number
  /** Pages in the write-ahead log from which on a commit copies them into the file and syncs it. */
  readonly checkpointPages: number
}

/** The connections to the file that is in place now. */
interface Opened {
  readonly writer: Sqlite
  /** For reading bytes. Closing it lets go of all locks that the process has on the file: it is closed last. */
  readonly file: number
}

export const open = (filename: string, config: Config): Database => {
  const incomingName = `${filename}-restoring`
  remove(incomingName)
  for (let n = 1; Fs.existsSync(apartName(filename, n)) && !inUse.has(apartName(filename, n)); n++) {
    remove(apartName(filename, n))
  }
  let opened = connected(filename)
  let image: (Image & { gone: boolean }) | undefined
  const plain = connect(":memory:")

  const begin = (): void => {
    const { writer } = opened
    if (pragma(writer, "journal_mode = WAL") !== "wal") throw new Error("SQLite can't keep a write-ahead log there")
    settings(writer)
    autoCheckpoint(config.checkpointPages)
  }

  const settings = (connection: Connection): void => {
    connection.exec("PRAGMA synchronous = NORMAL")
    // macOS: only with these an fsync reaches the medium.
    connection.exec("PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON")
    connection.exec(`PRAGMA cache_size = -${Math.ceil(config.cacheBytes / 1024)}`)
    // The write-ahead log gets no longer than it must be between two checkpoints.
    connection.exec("PRAGMA journal_size_limit = 0; PRAGMA temp_store = MEMORY")
  }

  const autoCheckpoint = (pages: number): void => void pragma(opened.writer, `wal_autocheckpoint = ${pages}`)

  const sync = (): void => {
    if (pragma(opened.writer, "wal_checkpoint(TRUNCATE)") !== 0) {
      throw new Busy("the write-ahead log can't be copied into the file while somebody reads")
    }
  }

  const freeze = (): Image => {
    if (image !== undefined) throw new Busy("it is frozen already")
    sync()
    const reader = connect(filename, { readonly: true })
    try {
      settings(reader)
      reader.exec("BEGIN")
      // The transaction begins with what it reads first.
      const size = Number(pragma(reader, "page_count")) * Number(pragma(reader, "page_size"))
      // Nothing can be copied before the reader is gone; trying it after each commit would cost more and more.
      autoCheckpoint(0)
      const { file } = opened
      let given = 0
      const frozen = {
        gone: false,
        connection: () => reader,
        read: (most: number) => {
          if (frozen.gone) throw new Busy("a snapshot has taken the place of what was frozen")
          if (given === size) return undefined
          const bytes = new Uint8Array(Math.min(most, size - given))
          const count = Fs.readSync(file, bytes, 0, bytes.length, given)
          if (count !== bytes.length) throw new Error(`${filename} ends at ${given + count} and not at ${size} bytes`)
          given += count
          return bytes
        },
        close: () => {
          if (frozen.gone) return
          frozen.gone = true
          image = undefined
          reader.close()
          autoCheckpoint(config.checkpointPages)
        }
      }
      image = frozen
      return frozen
    } catch (cause) {
      reader.close()
      throw cause
    }
  }

  const restore = (): Incoming => {
    remove(incomingName)
    let file: number | undefined = Fs.openSync(incomingName, "w")
    let incoming: Sqlite | undefined
    let adopted = false
    const closeFile = (): void => {
      if (file !== undefined) Fs.closeSync(file)
      file = undefined
    }
    return {
      write: (bytes) => {
        for (let written = 0; written < bytes.length;) written += Fs.writeSync(file!, bytes, written)
      },
      end: () => {
        closeFile()
        incoming = connect(incomingName)
        settings(incoming)
        return incoming
      },
      adopt: () => {
        // The last connection takes its write-ahead log along when it closes.
        incoming?.close()
        incoming = undefined
        syncFile(incomingName)
        replace()
        adopted = true
      },
      close: () => {
        closeFile()
        incoming?.close()
        incoming = undefined
        if (!adopted) remove(incomingName)
      }
    }
  }

  /** The write-ahead log of the old file must be gone before the new one stands in its place: SQLite would apply it. */
  const replace = (): void => {
    image?.close()
    closed(opened)
    try {
      if (Fs.existsSync(`${filename}-wal`)) {
        throw new Busy("what is in the write-ahead log could not be copied into the file")
      }
      Fs.renameSync(incomingName, filename)
      syncFile(Path.dirname(filename))
    } finally {
      opened = connected(filename)
      begin()
    }
  }

  return {
    connection: () => opened.writer,
    plain,
    begin,
    commit: () => void opened.writer.exec("COMMIT"),
    sync,
    freeze,
    restore,
    close: () => {
      image?.close()
      closed(opened)
      plain.close()
    }
  }
}

/** The files beside others that this process has open. */
const inUse = new Set<string>()

const apartName = (filename: string, n: number): string => `${filename}-apart-${n}`

/** An empty database beside a file, gone when it is closed; what a crash leaves of it is removed when the file is opened. */
export const apart = (filename: string, config: Config): Database => {
  let n = 1
  while (inUse.has(apartName(filename, n))) n++
  const name = apartName(filename, n)
  remove(name)
  const database = open(name, config)
  inUse.add(name)
  return {
    ...database,
    close: () => {
      database.close()
      inUse.delete(name)
      remove(name)
      remove(`${name}-restoring`)
    }
  }
}

const connected = (filename: string): Opened => {
  const writer = connect(filename)
  try {
    writer.exec("PRAGMA busy_timeout = 0")
    return { writer, file: Fs.openSync(filename, "r") }
  } catch (cause) {
    writer.close()
    throw cause
  }
}

const closed = ({ file, writer }: Opened): void => {
  writer.close()
  Fs.closeSync(file)
}

const remove = (filename: string): void => {
  for (const end of ["", "-wal", "-shm", "-journal"]) Fs.rmSync(`${filename}${end}`, { force: true })
}

/** Of a file, or of a directory after a rename in it. */
const syncFile = (path: string): void => {
  const file = Fs.openSync(path, "r")
  try {
    Fs.fsyncSync(file)
  } finally {
    Fs.closeSync(file)
  }
}
