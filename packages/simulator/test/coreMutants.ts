/**
 * Bugs that implementations have really had, as wrapped steps: each must be found, or the checkers are blind to it.
 */
import { Ballot, Log, Slot } from "@synod/paxos"
import type { Acceptor, Durable, Message, NodeId, Proposer, Quorum } from "@synod/paxos"
import { CoreSteps } from "@synod/simulator"

export interface Mutant {
  readonly name: string
  readonly steps: Partial<CoreSteps.CoreSteps>
}

const { acceptor, election, perform, proposer } = CoreSteps.production

/** The actions with another write in place of each. */
const rewritten = (
  actions: ReadonlyArray<Acceptor.Action>,
  rewrite: (write: Durable.Write) => Durable.Write
): ReadonlyArray<Acceptor.Action> =>
  actions.map((action) => (action._tag === "Persist" ? { ...action, write: rewrite(action.write) } : action))

/** The proposer takes promises for something else than they are. */
const misread = (
  read: (message: Message.Promise, from: NodeId.NodeId, self: NodeId.NodeId) => Message.Promise
): Partial<CoreSteps.CoreSteps> => ({
  proposer: (state, input, options) =>
    input._tag === "Receive" && input.message._tag === "Promise"
      ? proposer(state, { ...input, message: read(input.message, input.from, options.self) }, options)
      : proposer(state, input, options)
})

const anyQuorum = (members: ReadonlyArray<NodeId.NodeId>): Quorum.QuorumSystem => {
  const count = (nodes: ReadonlySet<NodeId.NodeId>) => members.filter((node) => nodes.has(node)).length
  return {
    name: "quorums that miss each other",
    members,
    changesAt: [],
    isPrepareQuorum: (_round, nodes) => count(nodes) >= 2,
    isAcceptQuorum: (_round, nodes) => count(nodes) >= 1
  }
}

export const mutants: ReadonlyArray<Mutant> = [
  {
    name: "accepts below its promise",
    steps: {
      acceptor: (state, message, options, now) => {
        if (message._tag !== "Accept" || !Ballot.lessThan(message.ballot, state.promised)) {
          return acceptor(state, message, options, now)
        }
        if (Ballot.lessThan(message.ballot, state.acceptedBallot)) return acceptor(state, message, options, now)
        const { promised } = state
        const next = acceptor({ ...state, promised: message.ballot }, message, options, now)
        return {
          state: { ...next.state, promised },
          actions: rewritten(next.actions, (write) => ({ ...write, state: { ...write.state, promised } }))
        }
      }
    }
  },
  {
    name: "a promise is not made durable",
    steps: {
      acceptor: (state, message, options, now) => {
        const next = acceptor(state, message, options, now)
        return message._tag === "Prepare"
          ? { ...next, actions: next.actions.filter(({ _tag }) => _tag !== "Persist") }
          : next
      }
    }
  },
  {
    name: "Prepare leaves before the own promise is durable",
    steps: {
      proposer: (state, input, options) => {
        const next = proposer(state, input, options)
        if (input._tag !== "Campaign" || next.state._tag !== "Preparing") return next
        const { ballot } = next.state
        const others = options.quorums.members.filter((node) => node !== options.self)
        const early = others.map((to): Proposer.Action => ({
          _tag: "Send",
          to,
          message: { _tag: "Prepare", ballot, released: Ballot.zero }
        }))
        return { ...next, actions: [...early, ...next.actions] }
      }
    }
  },
  {
    name: "its own log is adopted instead of the one with the highest ballot",
    steps: misread((promise, from, self) =>
      from === self ? promise : { ...promise, acceptedBallot: Ballot.zero, acceptedThrough: promise.chosenThrough }
    )
  },
  {
    name: "the longest log is adopted instead of the one with the highest ballot",
    // Ranks logs by length, and takes none of them to be of one ballot.
    steps: misread((promise, from) => ({ ...promise, acceptedBallot: Ballot.make(1 + promise.acceptedThrough, from) }))
  },
  {
    name: "the watermark is believed across ballots",
    steps: {
      acceptor: (state, message, options, now) => {
        const next = acceptor(state, message, options, now)
        if (message._tag !== "Accept" || message.chosenThrough <= next.state.chosenThrough) return next
        const through = Slot.min(message.chosenThrough, next.state.log.through)
        const after = next.state.chosenThrough
        if (through <= after) return next
        return {
          state: { ...next.state, chosenThrough: through },
          actions: [...next.actions, { _tag: "Deliver", after, entries: Log.slice(next.state.log, after, through) }]
        }
      }
    }
  },
  {
    name: "a gap in the sequence is accepted",
    steps: {
      acceptor: (state, message, options, now) =>
        message._tag === "Accept" &&
        Ballot.equals(message.ballot, state.acceptedBallot) &&
        message.after > state.log.through
          ? acceptor(state, { ...message, after: state.log.through }, options, now)
          : acceptor(state, message, options, now)
    }
  },
  {
    name: "a suffix is kept that the new ballot has replaced",
    steps: {
      acceptor: (state, message, options, now) => {
        const next = acceptor(state, message, options, now)
        const renewed = !Ballot.equals(next.state.acceptedBallot, state.acceptedBallot)
        if (!renewed || next.state.log.through >= state.log.through) return next
        const tail = Log.slice(state.log, next.state.log.through)
        const log = Log.append(next.state.log, tail)
        return {
          state: { ...next.state, log },
          actions: rewritten(next.actions, (write) => ({
            ...write,
            state: { ...write.state, acceptedThrough: log.through },
            entries: [...write.entries, ...tail]
          }))
        }
      }
    }
  },
  { name: "quorums miss each other", steps: { quorums: ({ voters }) => anyQuorum(voters) } },
  {
    name: "a command that comes twice is performed twice",
    steps: {
      perform: (machine, command, slot) => {
        machine.sessions.delete(command.client)
        return perform(machine, command, slot)
      }
    }
  },
  {
    name: "reads are answered without confirming the ballot",
    steps: {
      proposer: (state, input, options) => {
        const next = proposer(state, input, options)
        if (input._tag !== "Confirm" || next.state._tag !== "Leading") return next
        const { chosenThrough, confirm } = next.state
        const early: Proposer.Action = { _tag: "Confirmed", confirm: confirm.asked, slot: chosenThrough }
        return { ...next, actions: [...next.actions, early] }
      }
    }
  },
  {
    name: "reads are answered from what the leader knows to be chosen, before its adopted log is",
    steps: {
      proposer: (state, input, options) => {
        const next = proposer(state, input, options)
        const { state: after } = next
        if (after._tag !== "Leading") return next
        const actions = next.actions.map((action) =>
          action._tag === "Confirmed" ? { ...action, slot: after.chosenThrough } : action
        )
        return { ...next, actions }
      }
    }
  },
  {
    name: "whoever does not hear the leader itself campaigns",
    steps: {
      election: (state, input, options) => {
        const next = election(state, input, options)
        if (input._tag !== "Tick" || state.leading || next.actions.some(({ _tag }) => _tag === "Campaign")) return next
        const hears = [...state.replies.values()].some(({ claim }) => Ballot.equals(claim, next.state.leader))
        return hears ? next : { ...next, actions: [...next.actions, { _tag: "Campaign", above: next.state.leader }] }
      }
    }
  },
  {
    name: "nobody takes over",
    steps: {
      election: (state, input, options) => {
        const next = election(state, input, options)
        return next.state.leader.round < 2
          ? next
          : { ...next, actions: next.actions.filter(({ _tag }) => _tag !== "Campaign") }
      }
    }
  },
  {
    name: "the machine counts how often it was asked",
    steps: {
      perform: (() => {
        let asked = 0
        return (machine, command, slot) => {
          const performed = perform(machine, command, slot)
          if (performed.fresh) machine.digest ^= ++asked
          return performed
        }
      })()
    }
  }
]
