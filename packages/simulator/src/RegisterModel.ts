/**
 * One register as a model: acceptors and proposers of `@synod/paxos` that run in production, over any quorums, safe or not.
 *
 * What may happen, in any state:
 *
 * - a proposer begins, in any round: it may have heard of any ballot before; or begins again after a pause, above all it has heard of;
 * - any message that was ever sent arrives. Sent messages are a set that only grows, so one that is late, that overtakes others,
 *   that comes twice or that never comes are all among the ways on.
 *
 * Bounded are the rounds of ballots and who proposes, one value each. What is decided is judged from what acceptors have written,
 * not from what anybody claims. Not modelled: reads, proposers that take a silent acceptor for missing, and disks, which the register
 * tier has.
 *
 * @since 0.1.0
 */
import * as Ballot from "@synod/paxos/Ballot"
import { InvariantBroken } from "@synod/paxos/Invariant"
import type { NodeId } from "@synod/paxos/NodeId"
import type { QuorumSystem } from "@synod/paxos/QuorumSystem"
import type * as Register from "@synod/paxos/Register"
import * as RegisterAcceptor from "@synod/paxos/RegisterAcceptor"
import type * as RegisterMessage from "@synod/paxos/RegisterMessage"
import * as RegisterProposer from "@synod/paxos/RegisterProposer"
import * as Interned from "./internal/interned.js"
import { keyOf } from "./internal/modelText.js"
import * as PairMap from "./internal/pairMap.js"
import type * as ModelCheck from "./ModelCheck.js"

/**
 * The functions under test; a mutant replaces one.
 *
 * @since 0.1.0
 * @category models
 */
export interface Roles {
  readonly acceptor: typeof RegisterAcceptor.step
  readonly proposer: typeof RegisterProposer.step
}

/**
 * The step functions of `@synod/paxos`.
 *
 * @since 0.1.0
 * @category constants
 */
export const production: Roles = { acceptor: RegisterAcceptor.step, proposer: RegisterProposer.step }

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  readonly quorums: QuorumSystem
  /** The node of each proposer; two may share one. */
  readonly proposers: ReadonlyArray<NodeId>
  /** The highest round of a ballot. */
  readonly rounds: number
  /** Proposers are told what became of what they had accepted, say what is decided, and try again. Without, each is deaf then. */
  readonly answers: boolean
  readonly roles: Roles
}

/**
 * A number for each acceptor, then one for each proposer: what it holds and all that it has sent.
 *
 * @since 0.1.0
 * @category models
 */
export type State = ReadonlyArray<number>

/**
 * A part's position and what happens to it, in one number.
 *
 * @since 0.1.0
 * @category models
 */
export type Action = number

interface Vote {
  readonly ballot: Ballot.Ballot
  readonly value: string
}

interface Acceptor {
  readonly state: RegisterAcceptor.State
  readonly votes: ReadonlyArray<Vote>
  readonly outbox: ReadonlyArray<number>
  readonly broken: string | undefined
}

interface Proposer {
  readonly state: RegisterProposer.State
  readonly outbox: ReadonlyArray<number>
}

interface Sent {
  /** Positions in the state. */
  readonly from: number
  readonly to: number
  /** For an acceptor, or for a proposer, as the position has it. */
  readonly body: RegisterMessage.ToAcceptor | RegisterMessage.ToProposer
}

/** What happens to a part: it begins in round `input`, 0 after a pause, or gets the message with the number `input - receive`. */
const receive = 32

const key = "r"

const valueOf = (proposer: number): Register.Value => new TextEncoder().encode(String.fromCharCode(97 + proposer))
const textOf = (value: Register.Value): string => new TextDecoder().decode(value)

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options): ModelCheck.Model<State, Action> => {
  const { proposers, quorums, roles, rounds } = options
  const { members } = quorums
  if (rounds >= receive) throw new RangeError(`rounds: ${rounds} is more than the ${receive - 1} that a model can have`)
  const width = members.length + proposers.length
  const acceptors = Interned.make<Acceptor>(keyOf)
  const requests = Interned.make<Proposer>(keyOf)
  const messages = Interned.make<Sent>(keyOf)
  const add = (outbox: ReadonlyArray<number>, sent: ReadonlyArray<Sent>): ReadonlyArray<number> =>
    Array.from(new Set([...outbox, ...sent.map(messages.idOf)])).sort((a, b) => a - b)

  const accept = PairMap.memo((id, message): number => {
    const self = acceptors.at(id)
    const { from, to, ...sent } = messages.at(message)
    const body = sent.body as RegisterMessage.ToAcceptor
    if (self.broken !== undefined) return id
    try {
      const { actions, state } = roles.acceptor(self.state, body)
      const replies = actions.flatMap((action) => (action._tag === "Reply" ? [action.message] : []))
      const heard = replies.filter(({ _tag }) => _tag === "Promise" || options.answers)
      const persisted = actions.some(({ _tag }) => _tag === "Persist")
      const vote = persisted && body._tag === "Accept" ? [{ ballot: body.ballot, value: textOf(body.value) }] : []
      return acceptors.idOf({
        state,
        votes: [...self.votes, ...vote],
        outbox: add(
          self.outbox,
          heard.map((body) => ({ from: to, to: from, body }))
        ),
        broken: undefined
      })
    } catch (error) {
      if (!(error instanceof InvariantBroken)) throw error
      return acceptors.idOf({ ...self, broken: error.message })
    }
  })

  const propose = (position: number, id: number, input: RegisterProposer.Input, above?: number): number => {
    const self = requests.at(id)
    const i = position - members.length
    const node = proposers[i]!
    const highest = above === undefined || above < 1 ? self.state.highest : Ballot.make(above, node)
    const next = roles.proposer({ ...self.state, highest }, input, { self: node, life: i + 1, quorums })
    if (next.state.highest.round > rounds) return id
    const sent = next.actions.flatMap((action) =>
      action._tag === "Send" ? [{ from: position, to: members.indexOf(action.to), body: action.message }] : []
    )
    return requests.idOf({ state: next.state, outbox: add(self.outbox, sent) })
  }

  const all: ReadonlySet<NodeId> = new Set(members)

  /** The part afterwards. */
  const step = PairMap.memo((part, action): number => {
    const position = action % width
    const input = Math.floor(action / width)
    if (position < members.length) return accept(part, input - receive)
    const { phase } = requests.at(part).state
    if (input < receive) {
      const fits = input === 0 ? phase._tag === "Waiting" : phase._tag === "Idle"
      return fits ? propose(position, part, { _tag: "Begin", reachable: all }, input - 1) : part
    }
    const { body, from } = messages.at(input - receive)
    const message = body as RegisterMessage.ToProposer
    return propose(position, part, { _tag: "Receive", from: members[from]!, message })
  })

  const begins = Array.from({ length: rounds + 1 }, (_, input) => input)
  const outboxOf = (part: number, position: number) =>
    position < members.length ? acceptors.at(part).outbox : requests.at(part).outbox

  const judge = memoOf((ids: ReadonlyArray<number>) => judgeVotes(ids.map(acceptors.at), quorums))
  const votesOf = (state: State) => judge(state.slice(0, members.length))
  const proposalsOf = (state: State) => state.slice(members.length).map((id) => requests.at(id).state)

  return {
    name: `one register, ${quorums.name}, ${proposers.length} proposers, rounds ${rounds}`,
    initial: [
      [
        ...members.map(() =>
          acceptors.idOf({ state: RegisterAcceptor.initial, votes: [], outbox: [], broken: undefined })
        ),
        ...proposers.map((_, i) => requests.idOf({ state: RegisterProposer.make(key, valueOf(i)), outbox: [] }))
      ]
    ],
    actions: (state) =>
      state.flatMap((part, position) => [
        ...(position < members.length ? [] : begins.map((input) => input * width + position)),
        ...outboxOf(part, position).map((id) => (receive + id) * width + messages.at(id).to)
      ]),
    next: (state, action) => {
      const position = action % width
      const after = step(state[position]!, action)
      return after === state[position] ? undefined : state.with(position, after)
    },
    width,
    encode: (state) => state,
    decode: (words) => words,
    properties: [
      {
        kind: "Always",
        name: oneValue,
        holds: (state) => votesOf(state).size <= 1
      },
      {
        kind: "Always",
        name: "what a proposer takes for decided is",
        holds: (state) =>
          proposalsOf(state).every(
            ({ phase }) =>
              phase._tag !== "Finished" || phase.decided === null || votesOf(state).has(textOf(phase.decided.value))
          )
      },
      {
        kind: "Always",
        name: "the invariants of every acceptor hold",
        holds: (state) => state.slice(0, members.length).every((id) => acceptors.at(id).broken === undefined)
      },
      { kind: "Sometimes", name: "a value is decided", holds: (state) => votesOf(state).size > 0 },
      {
        kind: "Sometimes",
        name: "a proposer goes on with the value of another",
        holds: (state) =>
          proposalsOf(state).some(
            ({ phase, value }) => phase._tag === "Accepting" && textOf(phase.value) !== textOf(value!)
          )
      }
    ],
    describeAction: (_before, action) => {
      const position = action % width
      const input = Math.floor(action / width)
      const who = position < members.length ? `node ${members[position]!}` : nameOf(options, position)
      if (input < receive) return `${who} begins${input === 0 ? " again" : ` in round ${input}`}`
      const { body, from } = messages.at(input - receive)
      const by = from < members.length ? `node ${members[from]!}` : nameOf(options, from)
      const ballot = "ballot" in body ? ` ${Ballot.format(body.ballot)}` : ""
      return `${who} hears from ${by}: ${body._tag}${ballot}${"value" in body ? ` ${textOf(body.value)}` : ""}`
    },
    describeState: (state) => [
      ...members.map((node, i) => {
        const { broken, state: held, votes } = acceptors.at(state[i]!)
        const wrote = votes.map(({ ballot, value }) => `${value} at ${Ballot.format(ballot)}`).join(", ") || "nothing"
        return `node ${node}: promised ${Ballot.format(held.promised)}, wrote ${wrote}${broken === undefined ? "" : `; broken: ${broken}`}`
      }),
      ...proposers.map((_, i) => {
        const { phase } = requests.at(state[members.length + i]!).state
        return `${nameOf(options, members.length + i)}: ${phase._tag}${"ballot" in phase ? ` ${Ballot.format(phase.ballot)}` : ""}`
      })
    ]
  }
}

/**
 * The property that a quorum table must have.
 *
 * @since 0.1.0
 * @category constants
 */
export const oneValue = "no two values are decided"

const nameOf = ({ proposers, quorums }: Options, position: number): string => {
  const i = position - quorums.members.length
  return `proposer ${textOf(valueOf(i))} at node ${proposers[i]!}`
}

/** The values that accept quorums have written at one ballot. */
const judgeVotes = (nodes: ReadonlyArray<Acceptor>, { isAcceptQuorum, members }: QuorumSystem): ReadonlySet<string> => {
  const decided = new Set<string>()
  for (const { votes } of nodes) {
    for (const { ballot, value } of votes) {
      const isSame = (vote: Vote) => vote.value === value && Ballot.equals(vote.ballot, ballot)
      const voters = members.filter((_, i) => nodes[i]!.votes.some(isSame))
      if (isAcceptQuorum(ballot.round, new Set(voters))) decided.add(value)
    }
  }
  return decided
}

const memoOf = <A>(compute: (ids: ReadonlyArray<number>) => A): ((ids: ReadonlyArray<number>) => A) => {
  const known = new Map<string, A>()
  return (ids) => {
    const name = ids.join(" ")
    const before = known.get(name)
    if (before !== undefined) return before
    const result = compute(ids)
    known.set(name, result)
    return result
  }
}
