/**
 * A proposer of the registers tier, of a member or of a client: its requests, each with its messages under way, and whom it takes to
 * be missing.
 *
 * @internal
 */
import { RegisterProposer as Proposer } from "@synod/paxos"
import type { NodeId, QuorumSystem, RegisterMessage } from "@synod/paxos"
import type { Seeded } from "../Seeded.js"
import type { Agenda } from "./agenda.js"
import { textOf, type Asked, type RegisterJudge } from "./registerJudge.js"

/** Times in milliseconds, as in production. @internal */
export const times = { patience: 400, suspicion: 2000, deadline: 3000, pauses: { first: 10, longest: 500 } }

/** Lives are drawn from so many. */
const lives = 2 ** 53

/** @internal */
export class RegisterProposer {
  private generation = 0
  private readonly missing = new Map<NodeId.NodeId, number>()

  constructor(
    readonly address: number,
    readonly self: NodeId.NodeId,
    private readonly world: {
      readonly now: () => number
      readonly agenda: Agenda<() => void>
      readonly seeded: Seeded
      readonly judge: RegisterJudge
      readonly quorums: QuorumSystem.QuorumSystem
      readonly send: (
        from: number,
        to: NodeId.NodeId,
        message: RegisterMessage.ToAcceptor,
        reply: (message: RegisterMessage.ToProposer) => void
      ) => void
    }
  ) {}

  /** Its requests are gone, and it knows of nothing. */
  restart(): void {
    this.generation++
    this.missing.clear()
  }

  ask(key: string, value: string | null, deadline = times.deadline): Asked {
    const { agenda, judge, now, seeded } = this.world
    const { generation, self } = this
    const options = { self, life: seeded.below(lives), quorums: this.world.quorums }
    const request: Asked = { key, value, began: now(), offered: false, answer: undefined }
    judge.asked(request)
    const end = now() + deadline
    let state = Proposer.make(key, value === null ? null : new TextEncoder().encode(value))

    const take = (input: Proposer.Input): void => {
      if (generation !== this.generation || now() > end) return
      const step = Proposer.step(state, input, options)
      const before = state
      state = step.state
      if (state.offered && !before.offered) request.offered = true
      if (value === null && state.phase._tag === "Accepting" && before.phase._tag !== "Accepting") {
        judge.happened("a read finishes what was begun")
      }
      for (const action of step.actions) {
        if (action._tag === "Send") this.send(action.to, action.message, take)
        if (action._tag === "Finish") judge.answered(request, action.decided && textOf(action.decided.value))
        if (action._tag !== "BackOff") continue
        const pause = Proposer.pause(action.failures, times.pauses, seeded.next())
        agenda.add(now() + pause, () => take({ _tag: "Begin", reachable: this.reachable() }))
      }
    }
    agenda.add(end, () => {
      if (generation === this.generation && request.answer === undefined && state.offered) judge.happened(unknown)
    })
    take({ _tag: "Begin", reachable: this.reachable() })
    return request
  }

  private send(to: NodeId.NodeId, message: RegisterMessage.ToAcceptor, take: (input: Proposer.Input) => void): void {
    const { agenda, now } = this.world
    let answered = false
    this.world.send(this.address, to, message, (reply) => {
      answered = true
      this.missing.delete(to)
      take({ _tag: "Receive", from: to, message: reply })
    })
    agenda.add(now() + times.patience, () => {
      if (answered) return
      this.missing.set(to, now() + times.suspicion)
      take({ _tag: "Unanswered", from: to, message, reachable: this.reachable() })
    })
  }

  private reachable(): ReadonlySet<NodeId.NodeId> {
    const { now, quorums } = this.world
    return new Set(quorums.members.filter((node) => (this.missing.get(node) ?? 0) <= now()))
  }
}

/** @internal */
export const unknown = "the outcome of a proposal stays unknown"
