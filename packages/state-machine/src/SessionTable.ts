/**
 * All sessions of a machine, at most so many, each for so long after its last use (Lee et al., *RIFL*, SOSP 2015, 3.3).
 *
 * ```
 *   opened ──► in use ──► not used for `expiry` of agreed time, ──► over: its answers are let go, and of it
 *                         or the least recently used of too many     stays only how far it had come ──► forgotten
 * ```
 *
 * Sessions are opened, used and ended by applying the log, and the only clock is the time agreed for each slot: so all
 * replicas have the same sessions after the same slot. The bounds belong to the machine's definition, for the same reason.
 *
 * Tables are values: each change gives a new one and the old stays as it was.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Order from "effect/Order"
import * as RedBlackTree from "effect/RedBlackTree"
import * as Session from "./Session.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Bounds {
  /**
   * How many sessions there may be; one more ends the one that was not used for the longest time. Default: 10,000, which
   * idle take some megabytes.
   */
  readonly most: number
  /**
   * How long a session lasts after its last use, in milliseconds. Default: one hour. A client that lives keeps its session;
   * one that is cut off for longer can't learn what became of the commands that it had under way.
   */
  readonly expiry: number
}

/**
 * @since 0.1.0
 * @category constants
 */
export const defaults: Bounds = { most: 10_000, expiry: Duration.toMillis("1 hour") }

/**
 * @since 0.1.0
 * @category models
 */
export interface Table {
  /** How many were ever opened, which is also the number of the last one. */
  readonly opened: number
  readonly sessions: HashMap.HashMap<number, Session.Session>
  /**
   * The sessions by the time of some use of each, never later than its last one: a use costs nothing here, and a session
   * is moved to its place when it comes up.
   */
  readonly queue: RedBlackTree.RedBlackTree<Place, undefined>
  /** Of the sessions that ended, the last ones opened and at most `most`: the sequence from which on none was applied. */
  readonly over: RedBlackTree.RedBlackTree<number, number>
}

type Place = readonly [used: number, id: number]

/**
 * A table of these sessions, by number.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  opened: number,
  sessions: Iterable<readonly [id: number, session: Session.Session]>,
  over: Iterable<readonly [id: number, next: number]>
): Table => {
  const table = builder()
  for (const entry of sessions) table.open(entry)
  for (const entry of over) table.over(entry)
  return table.end(opened)
}

/**
 * Builds a table of sessions that come one by one.
 *
 * @internal
 */
export const builder = () => {
  const sessions = HashMap.beginMutation(HashMap.empty<number, Session.Session>())
  let queue = RedBlackTree.empty<Place, undefined>(byPlace)
  let over = RedBlackTree.empty<number, number>(Order.number)
  return {
    open: ([id, session]: readonly [id: number, session: Session.Session]): void => {
      if (HashMap.has(sessions, id)) throw new RangeError(`session ${id} stands there twice`)
      HashMap.set(sessions, id, session)
      queue = RedBlackTree.insert(queue, [session.used, id] as const, undefined)
    },
    over: ([id, next]: readonly [id: number, next: number]): void => {
      over = RedBlackTree.insert(over, id, next)
    },
    end: (opened: number): Table => ({ opened, sessions: HashMap.endMutation(sessions), queue, over })
  }
}

const byPlace: Order.Order<Place> = Order.tuple(Order.number, Order.number)

/**
 * @since 0.1.0
 * @category constructors
 */
export const empty: Table = make(0, [], [])

/**
 * Opens the session numbered `opened` of the new table. If there are too many now, the least recently used one ends; of
 * equals, the one that was opened first.
 *
 * @since 0.1.0
 * @category combinators
 */
export const open = (table: Table, bounds: Bounds, time: number): Table => {
  const id = table.opened + 1
  const opened = {
    ...table,
    opened: id,
    sessions: HashMap.set(table.sessions, id, Session.make(time, 0)),
    queue: RedBlackTree.insert(table.queue, [time, id] as const, undefined)
  }
  return end(opened, bounds, ({ sessions }) => HashMap.size(sessions) > bounds.most)
}

/**
 * Ends the sessions that were not used for longer than `expiry`.
 *
 * @since 0.1.0
 * @category combinators
 */
export const expire = (table: Table, bounds: Bounds, time: number): Table =>
  end(table, bounds, (_, used) => used + bounds.expiry < time)

/** Ends the least recently used session, as long as there is one that is to end. */
const end = (table: Table, { most }: Bounds, isDue: (table: Table, used: number) => boolean): Table => {
  let next = table
  for (;;) {
    const first = Option.getOrUndefined(RedBlackTree.first(next.queue))
    if (first === undefined) return next
    const [place] = first
    const [used, id] = place
    if (!isDue(next, used)) return next
    const session = get(next, id)
    const queue = RedBlackTree.removeFirst(next.queue, place)
    if (session !== undefined && session.used > used) {
      next = { ...next, queue: RedBlackTree.insert(queue, [session.used, id] as const, undefined) }
      continue
    }
    let over = RedBlackTree.insert(next.over, id, session?.next ?? 0)
    if (RedBlackTree.size(over) > most) over = RedBlackTree.removeFirst(over, firstKey(over))
    next = { ...next, sessions: HashMap.remove(next.sessions, id), queue, over }
  }
}

const firstKey = (over: Table["over"]): number => Option.getOrThrow(RedBlackTree.first(over))[0]

/**
 * @since 0.1.0
 * @category getters
 */
export const get = (table: Table, id: number): Session.Session | undefined =>
  Option.getOrUndefined(HashMap.get(table.sessions, id))

/**
 * The session as it is after a use at this time. It must be open.
 *
 * @since 0.1.0
 * @category combinators
 */
export const use = (table: Table, id: number, session: Session.Session, time: number): Table => ({
  ...table,
  sessions: HashMap.set(table.sessions, id, { ...session, used: time })
})

/**
 * Of a session that is not open: the sequence from which on no command was applied, nor ever will be. All of them, if it was
 * never opened; none that is known of, if it ended too long ago.
 *
 * @since 0.1.0
 * @category getters
 */
export const unapplied = (table: Table, id: number): number =>
  id > table.opened ? 0 : Option.getOrElse(RedBlackTree.findFirst(table.over, id), () => Number.MAX_SAFE_INTEGER)

/**
 * The sessions in the order they were opened.
 *
 * @since 0.1.0
 * @category getters
 */
export const entries = (table: Table): ReadonlyArray<readonly [id: number, session: Session.Session]> =>
  HashMap.toEntries(table.sessions).sort((a, b) => a[0] - b[0])

/**
 * What is left of the sessions that ended, in the order they were opened: number, and the sequence from which on none was
 * applied.
 *
 * @since 0.1.0
 * @category getters
 */
export const over = (table: Table): ReadonlyArray<readonly [id: number, next: number]> => Array.from(table.over)
