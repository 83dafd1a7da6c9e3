/**
 * Requests of the proposer that have no answer yet. Each peer has room for a few; what was lost is never answered, and is given up
 * before it takes the place of what is to be sent again.
 *
 * @since 0.1.0
 */
import type { NodeId } from "@synod/paxos"

/**
 * @since 0.1.0
 * @category models
 */
export interface Outstanding<Reply> {
  /** Sends a request, unless too many are under way to that node. `send` gives how to forget it; `heard` gets the answer, if one comes. */
  readonly ask: (
    to: NodeId.NodeId,
    send: (answer: (reply: Reply | undefined) => void) => () => void,
    heard: (reply: Reply) => void
  ) => void
  /** A round has begun: gives up what was asked so many rounds ago. */
  readonly tick: () => void
  /** Gives up all of it. */
  readonly close: () => void
}

/** A request that has no answer yet. */
interface One {
  /** In which round it was sent. */
  readonly round: number
  forget: () => void
}

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = <Reply>(options: {
  /** To one node, at once. */
  readonly limit: number
  /** Rounds. */
  readonly patience: number
}): Outstanding<Reply> => {
  const all = new Map<NodeId.NodeId, Set<One>>()
  let rounds = 0
  const giveUp = (round: number): void => {
    for (const requests of all.values()) {
      // In the order in which they were sent.
      for (const one of requests) {
        if (one.round > round) break
        requests.delete(one)
        one.forget()
      }
    }
  }
  return {
    ask: (to, send, heard) => {
      const requests = all.get(to) ?? new Set<One>()
      all.set(to, requests)
      if (requests.size >= options.limit) return
      const one: One = { round: rounds, forget: () => undefined }
      requests.add(one)
      one.forget = send((reply) => {
        requests.delete(one)
        if (reply !== undefined) heard(reply)
      })
    },
    tick: () => giveUp(++rounds - options.patience),
    close: () => giveUp(Infinity)
  }
}
