/**
 * Hands the lead over: nothing new is proposed; once nothing is under way the lease is given up for good, and the first that
 * holds all of the log is told to take over. What comes meanwhile waits, and is sent on to the successor.
 *
 * ```
 *   begin ──► nothing under way? ──► Release ──► TakeOver to the best successor ──► Resign: handed over
 *                                                 │ can't be reached: the next one
 *                                                 └ nobody in time: leads on, with a new ballot if its lease is gone
 * ```
 *
 * @since 0.1.0
 */
import { type Ballot, type NodeId, Proposer, type Quorum } from "@synod/paxos"
import type * as Fiber from "effect/Fiber"

/**
 * @since 0.1.0
 * @category models
 */
export interface HandingOver {
  /** Nothing is to be proposed or confirmed. */
  readonly underWay: () => boolean
  /** To whoever can; `end` hears whether somebody took over. */
  readonly toAny: (end: (handed: boolean) => void) => void
  /** To this node alone once it holds about all of the log, and not soon again if nothing comes of it. */
  readonly prefer: (to: NodeId.NodeId) => void
  /** Goes on with it, after each turn. */
  readonly goOn: (state: Proposer.State) => void
  /** A round has begun. */
  readonly tick: () => void
  /** This node leads no more, or leads on. */
  readonly end: (handed: boolean) => void
}

/** A lead that is being handed over. */
interface UnderWay {
  readonly ends: Array<(handed: boolean) => void>
  /** Nobody else is to get it. */
  only: NodeId.NodeId | undefined
  /** The last round in which somebody may take over. */
  readonly last: number
  /** Whom this was asked of, and who can't be reached. */
  asked: NodeId.NodeId | undefined
  readonly unreachable: Set<NodeId.NodeId>
}

/** So many times as long as a hand-over may take, a replica that did not take the lead is not offered it again. */
const restAfterRefusal = 10

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: {
  readonly core: Proposer.Options
  readonly quorums: Quorum.QuorumSystem
  /** How many rounds it may take. */
  readonly within: number
  readonly priority: (node: NodeId.NodeId) => number
  /** Nobody waits for what this node proposed, or for its ballot to be confirmed. */
  readonly isIdle: () => boolean
  readonly state: () => Proposer.State
  readonly tell: (input: Proposer.Input) => void
  /** Asks that node to take over from the ballot. */
  readonly ask: (to: NodeId.NodeId, ballot: Ballot.Ballot) => Fiber.RuntimeFiber<void, unknown>
  /** There is something to do: what waited, or another successor. */
  readonly wake: () => void
}): HandingOver => {
  const { core, quorums } = options
  let rounds = 0
  let handing: UnderWay | undefined
  /** The round before which nobody is offered the lead for the sake of its priority. */
  let restUntil = 0

  const begin = (only: NodeId.NodeId | undefined): UnderWay => {
    const last = rounds + options.within
    handing ??= { ends: [], only, last, asked: undefined, unreachable: new Set() }
    if (only === undefined) handing.only = undefined
    return handing
  }

  const end = (handed: boolean): void => {
    if (handing === undefined) return
    const { ends, only } = handing
    handing = undefined
    if (!handed && only !== undefined) restUntil = rounds + restAfterRefusal * options.within
    const state = options.state()
    // Whoever was asked may yet take over, and nobody waits for a lease that was given up: the next ballot has one again.
    if (!handed && core.lease !== undefined && state._tag === "Leading" && state.lease.released) {
      options.tell({ _tag: "Campaign", above: state.highest })
    }
    for (const end of ends) end(handed)
    options.wake()
  }

  const goOn = (state: Proposer.State): void => {
    const now = handing
    if (now === undefined) return
    const others = quorums.members.filter(
      (node) => node !== core.self && !now.unreachable.has(node) && (now.only === undefined || node === now.only)
    )
    if (others.length === 0 || rounds > now.last) return end(false)
    if (state._tag !== "Leading" || now.asked !== undefined || !options.isIdle()) return
    const to = Proposer.successors(state, core)
      .filter((node) => others.includes(node))
      .sort((a, b) => options.priority(b) - options.priority(a))[0]
    if (to === undefined) return
    if (!state.lease.released) return options.tell({ _tag: "Release" })
    now.asked = to
    options.ask(to, state.ballot).addObserver((exit) => {
      if (exit._tag === "Success") return
      now.unreachable.add(to)
      now.asked = undefined
      options.wake()
    })
  }

  return {
    underWay: () => handing !== undefined,
    toAny: (end) => {
      begin(undefined).ends.push(end)
      options.wake()
    },
    prefer: (to) => {
      if (handing !== undefined || rounds < restUntil || !Proposer.keepsUp(options.state(), to, core)) return
      begin(to)
      options.wake()
    },
    goOn,
    tick: () => {
      rounds++
      // What was asked a round ago is lost.
      if (handing !== undefined) handing.asked = undefined
    },
    end
  }
}
