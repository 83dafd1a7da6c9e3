/**
 * What must hold of registers, whoever claims what: votes are counted from what acceptors made durable.
 *
 * @internal
 */
import { Ballot } from "@synod/paxos"
import type { NodeId, QuorumSystem, Register, RegisterAcceptor, RegisterMessage } from "@synod/paxos"
import { Violation } from "../Violation.js"

/** A request, from its beginning to what its proposer was told. @internal */
export interface Asked {
  readonly key: string
  /** Null for a read. */
  readonly value: string | null
  readonly began: number
  /** Its value was sent to acceptors. */
  offered: boolean
  /** Undefined while there is none, or nobody waits for it any more; null: nothing was decided. */
  answer: string | null | undefined
}

const decoder = new TextDecoder()

/** Values are texts. @internal */
export const textOf = (value: Register.Value): string => decoder.decode(value)

/** @internal */
export class RegisterJudge {
  /** What should happen in some run, and how often it did. */
  readonly sometimes = new Map<string, number>()
  readonly decided = new Map<string, { readonly value: string; readonly at: number; readonly ballot: Ballot.Ballot }>()
  /** By key. */
  private readonly requests = new Map<string, Array<Asked>>()
  private readonly votes = new Map<string, Set<NodeId.NodeId>>()

  constructor(
    private readonly quorums: QuorumSystem.QuorumSystem,
    private readonly isFast: (round: number) => boolean,
    private readonly now: () => number,
    /** How long a register is kept after it was decided, in milliseconds; undefined: for ever. */
    private readonly age: number | undefined
  ) {}

  fail(property: string, sentence: string): never {
    throw new Violation({ property, sentence, time: this.now() })
  }

  happened(what: string): void {
    this.sometimes.set(what, (this.sometimes.get(what) ?? 0) + 1)
  }

  asked(request: Asked): void {
    const requests = this.requests.get(request.key) ?? []
    this.requests.set(request.key, requests)
    requests.push(request)
  }

  /** A write is durable. */
  wrote(node: NodeId.NodeId, key: string, before: RegisterAcceptor.State, after: RegisterAcceptor.State): void {
    if (Ballot.lessThan(after.promised, before.promised)) {
      this.fail("promises never fall", `node ${node} takes back what it promised of ${key}`)
    }
    const { accepted } = after
    if (accepted === null || accepted === before.accepted || after.decided) return
    const value = textOf(accepted.value)
    const id = `${key} ${Ballot.format(accepted.ballot)} ${value}`
    const voters = (this.votes.get(id) ?? new Set()).add(node)
    this.votes.set(id, voters)
    if (this.quorums.isAcceptQuorum(accepted.ballot.round, voters)) this.decide(key, value, accepted.ballot)
  }

  /** A member lets go of what it holds: nothing but what was decided, and no sooner than the policy has it. */
  forgets(node: NodeId.NodeId, key: string, held: RegisterAcceptor.State): void {
    this.happened(isForgotten)
    if (!held.decided)
      this.fail("kept for its time", `node ${node} forgets ${key}, which it doesn't know to be decided`)
    const known = this.decided.get(key)
    if (this.age === undefined || known === undefined || this.now() - known.at < this.age) {
      this.fail("kept for its time", `node ${node} forgets ${key} too soon`)
    }
  }

  private decide(key: string, value: string, ballot: Ballot.Ballot): void {
    const known = this.decided.get(key)
    if (known === undefined) {
      if (!(this.requests.get(key) ?? []).some((request) => request.value === value && request.offered)) {
        this.fail("only what was proposed", `${key} is decided as ${value}, which nobody offered`)
      }
      this.decided.set(key, { value, at: this.now(), ballot })
      if (this.isFast(ballot.round)) this.happened(fastDecides)
      else if (this.quorums.changesAt.length > 0) this.happened(slowDecides)
      return
    }
    if (known.value !== value) {
      const [first, second] = [Ballot.format(known.ballot), Ballot.format(ballot)]
      this.fail("agreement", `${key} is decided as ${known.value} at ${first} and as ${value} at ${second}`)
    }
    if (!Ballot.equals(known.ballot, ballot)) this.happened(decidedAgain)
  }

  /** A reply leaves; `durable` is what the acceptor's disk holds. */
  says(node: NodeId.NodeId, key: string, reply: RegisterMessage.ToProposer, durable: RegisterAcceptor.State): void {
    if (reply._tag !== "Promise" && reply._tag !== "Accepted") return
    const least = reply._tag === "Promise" ? durable.promised : (durable.accepted?.ballot ?? Ballot.zero)
    if (!Ballot.lessThan(least, reply.ballot)) return
    this.fail(
      "durable before spoken",
      `node ${node} says ${reply._tag} ${Ballot.format(reply.ballot)} of ${key}, which a crash would undo`
    )
  }

  /** A proposer has an answer. */
  answered(request: Asked, answer: string | null): void {
    request.answer = answer
    const { began, key } = request
    const decided = this.decided.get(key)
    if (answer === null) {
      this.happened("a read finds nothing")
      if (decided !== undefined && decided.at < began) {
        this.fail("fresh reads", `${key} was decided as ${decided.value}, and a read that began later finds nothing`)
      }
    } else if (decided?.value !== answer) {
      this.fail("true answers", `${key} is said to be decided as ${answer}, and ${decided?.value ?? "nothing"} is`)
    } else if (request.value !== null && request.value !== answer) this.happened("a proposer hears of another value")
  }
}

/** @internal */
export const fastDecides = "a fast round decides"

/** @internal */
export const slowDecides = "a round decides behind the fast ones"

/** @internal */
export const decidedAgain = "two ballots decide, and on one value"

/** @internal */
export const isForgotten = "a register is forgotten"
