/**
 * Keeps the real world out of a simulated one. While a world runs, clocks, dice, timers, promises and I/O of the machine
 * are replaced: whoever calls them is told so, by name and place, since a run that depends on them can't be repeated, and
 * replicas that do would come apart.
 *
 * Effect's own modules read the clock and roll dice for ids that mean nothing; they get fixed answers.
 *
 * @since 0.1.0
 */
import ChildProcess from "node:child_process"
import Dns from "node:dns"
import Fs from "node:fs"
import Http from "node:http"
import { syncBuiltinESMExports } from "node:module"
import Net from "node:net"

/**
 * Somebody reached out of the world.
 *
 * @since 0.1.0
 * @category errors
 */
export class RealWorld extends Error {
  override readonly name = "RealWorld"
  constructor(
    /** What was called, such as `Date.now`. */
    readonly what: string,
    /** The place in the source that called it. */
    readonly where: string,
    readonly instead: string
  ) {
    super(`${what} was called at ${where}: ${instead}`)
  }
}

const instead = {
  clock: "take the time from Effect's Clock",
  dice: "take chance from Effect's Random",
  timer: "wait with Effect.sleep",
  promise: "a simulated world has no event loop that would settle a promise; use Effects that need none",
  io: "a simulated world has no files, sockets and processes but its own"
} as const

interface Ban {
  readonly on: object
  readonly name: string
  readonly what: string
  readonly instead: string
  /** What Effect's own modules get; they are banned too when there is none. */
  readonly answer?: (...args: ReadonlyArray<any>) => unknown
}

// The default imports are the modules themselves, of which named imports are copies.
const module = (on: object, what: string, names: ReadonlyArray<string>): ReadonlyArray<Ban> =>
  names.filter((name) => name in on).map((name) => ({ on, name, what: `${what}.${name}`, instead: instead.io }))

const bans: ReadonlyArray<Ban> = [
  { on: Date, name: "now", what: "Date.now", instead: instead.clock, answer: () => 0 },
  { on: performance, name: "now", what: "performance.now", instead: instead.clock, answer: () => 0 },
  { on: process, name: "hrtime", what: "process.hrtime", instead: instead.clock },
  { on: Math, name: "random", what: "Math.random", instead: instead.dice, answer: () => 0.5 },
  { on: crypto, name: "randomUUID", what: "crypto.randomUUID", instead: instead.dice },
  { on: crypto, name: "getRandomValues", what: "crypto.getRandomValues", instead: instead.dice },
  // Effect.never keeps the process alive with an interval that does nothing.
  { on: globalThis, name: "setInterval", what: "setInterval", instead: instead.timer, answer: () => undefined },
  ...["setTimeout", "setImmediate", "queueMicrotask"].map((name) => ({
    on: globalThis,
    name,
    what: name,
    instead: instead.timer
  })),
  { on: process, name: "nextTick", what: "process.nextTick", instead: instead.timer },
  { on: Promise.prototype, name: "then", what: "a promise's then", instead: instead.promise },
  { on: globalThis, name: "fetch", what: "fetch", instead: instead.io },
  ...module(Fs, "fs", ["openSync", "open", "readFileSync", "readFile", "writeFileSync", "writeFile", "readSync"]),
  ...module(Fs, "fs", ["statSync", "readdirSync", "createReadStream", "createWriteStream", "appendFileSync"]),
  ...module(Net, "net", ["connect", "createConnection", "createServer"]),
  ...module(Http, "http", ["request", "get", "createServer"]),
  ...module(Dns, "dns", ["lookup", "resolve"]),
  ...module(ChildProcess, "child_process", ["spawn", "exec", "execSync", "spawnSync", "fork", "execFile"])
]

/**
 * Runs something in a world without a way out. `caught` hears of every attempt, also of those whose error is swallowed.
 *
 * @since 0.1.0
 * @category combinators
 */
export const guarded = <A>(caught: (error: RealWorld) => void, run: () => A): A => {
  let looking = false
  /** Answers a call from inside; `real` is what it was meant for. */
  const reach = (
    banned: (...args: ReadonlyArray<never>) => unknown,
    what: string,
    how: string,
    real: () => unknown,
    answer?: () => unknown
  ): unknown => {
    if (looking) return real()
    looking = true
    const frame = callerOf(banned)
    looking = false
    const file = frame?.getFileName() ?? ""
    if (ofRunner.test(file)) return real()
    if (answer !== undefined && ofEffect.test(file)) return answer()
    const error = new RealWorld(what, frame === undefined ? "an unknown place" : String(frame), how)
    caught(error)
    throw error
  }
  const restores = bans.map((ban) => {
    const original = Object.getOwnPropertyDescriptor(ban.on, ban.name) ?? inherited(ban.on, ban.name)
    function banned(this: unknown, ...args: ReadonlyArray<unknown>): unknown {
      const real = () => Reflect.apply(original.value as () => unknown, this, args)
      return reach(banned, ban.what, ban.instead, real, ban.answer)
    }
    Object.defineProperty(ban.on, ban.name, {
      configurable: true,
      writable: true,
      enumerable: original.enumerable ?? false,
      value: banned
    })
    return () => void Object.defineProperty(ban.on, ban.name, original)
  })
  const RealDate = globalThis.Date
  class BannedDate extends RealDate {
    constructor(...args: ReadonlyArray<any>) {
      const read = () => reach(BannedDate as never, "new Date()", instead.clock, RealDate.now, () => 0)
      super(...((args.length === 0 ? [read()] : args) as [number]))
    }
  }
  globalThis.Date = BannedDate as DateConstructor
  syncBuiltinESMExports()
  try {
    return run()
  } finally {
    globalThis.Date = RealDate
    for (const restore of restores) restore()
    syncBuiltinESMExports()
  }
}

const ofEffect = /[/\\]node_modules[/\\](effect|@effect[/\\]\w+)[/\\]|node:internal/

/** What runs tests looks at sources, to show where an error came from. */
const ofRunner = /[/\\]node_modules[/\\](vite-node|vitest|@vitest|source-map)/

const inherited = (on: object, name: string): PropertyDescriptor => {
  for (let owner: object | null = on; owner !== null; owner = Object.getPrototypeOf(owner) as object | null) {
    const descriptor = Object.getOwnPropertyDescriptor(owner, name)
    if (descriptor !== undefined) return { ...descriptor, configurable: true }
  }
  return { value: undefined, configurable: true, writable: true }
}

/**
 * Whoever called `banned`. Effect asks for the time with every fiber, so this must not cost much: one frame is taken as it is,
 * and only a place that is told to somebody is made into text.
 */
const callerOf = (banned: (...args: ReadonlyArray<never>) => unknown): NodeJS.CallSite | undefined => {
  const { prepareStackTrace, stackTraceLimit } = Error
  const holder: { stack?: unknown } = {}
  Error.stackTraceLimit = 1
  Error.prepareStackTrace = (_, frames) => frames
  Error.captureStackTrace(holder, banned)
  const [frame] = holder.stack as ReadonlyArray<NodeJS.CallSite | undefined>
  Error.prepareStackTrace = prepareStackTrace
  Error.stackTraceLimit = stackTraceLimit
  return frame
}
