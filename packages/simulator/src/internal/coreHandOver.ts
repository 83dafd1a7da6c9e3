/**
 * The end of a lead that is given away: nothing new is proposed until all that was proposed is chosen, and then a node that
 * has all of it is told to take over.
 *
 * @internal
 */
import { Ballot, Proposer } from "@synod/paxos"
import type { Message, NodeId } from "@synod/paxos"
import type { CoreRequests } from "./coreRequests.js"
import type { Self } from "./coreSelf.js"
import type { World } from "./coreWorld.js"

/** What happens when a leader tells a successor. @internal */
export const handsOver = "a leader hands over"

/** What a proposer lends its hand-over. @internal */
export interface Host extends Self {
  readonly proposer: () => Proposer.State
  readonly propose: (input: Proposer.Input) => void
  readonly requests: CoreRequests
}

/** @internal */
export class CoreHandOver {
  /** Counts those that were begun. */
  private count = 0
  /** The one under way: to this node alone, or to whoever can. */
  private handing: { readonly number: number; readonly only: NodeId.NodeId | undefined; asked: boolean } | undefined

  constructor(
    private readonly host: Host,
    private readonly world: World
  ) {}

  get isUnderWay(): boolean {
    return this.handing !== undefined
  }

  /** Begins, if the node leads; then it is to go on. */
  begin(only: NodeId.NodeId | undefined): boolean {
    const { life, place, proposer } = this.host
    if (!life.isUp || proposer()._tag !== "Leading" || this.isUnderWay || place().others.length === 0) return false
    const number = ++this.count
    this.handing = { number, only, asked: false }
    life.later(this.world.setting.handOver, () => {
      if (this.handing?.number === number) this.giveUp()
    })
    return true
  }

  /** To a node that should rather lead. */
  prefer(to: NodeId.NodeId): void {
    const { place, proposer } = this.host
    if (!Proposer.keepsUp(proposer(), to, place().proposer)) return
    if (!this.begin(to)) return
    this.world.judge.happened("a leader hands over to a node that should rather lead")
    this.goOn()
  }

  /** Tells a successor, once there is one. */
  goOn(): void {
    const { id, life, place, propose, proposer, requests } = this.host
    const leader = proposer()
    if (this.handing === undefined || leader._tag !== "Leading") return
    if (this.handing.asked || !requests.areIdle) return
    const { only } = this.handing
    const to = Proposer.successors(leader, place().proposer).find((node) => only === undefined || node === only)
    if (to === undefined) return
    this.handing.asked = true
    propose({ _tag: "Release" })
    life.point()
    this.world.judge.happened(handsOver)
    const message: Message.TakeOver = { _tag: "TakeOver", ballot: leader.ballot }
    this.world.network.send(id, to, { kind: "takeOver", epoch: place().epoch.number, message })
  }

  /** What was said may have got lost. */
  again(): void {
    if (this.handing !== undefined) this.handing.asked = false
  }

  /** Somebody else leads. */
  end(): void {
    this.handing = undefined
  }

  /** Nobody took over in time. A lease that was given up comes back with another ballot only. */
  private giveUp(): void {
    const { propose, proposer, requests } = this.host
    this.end()
    const leader = proposer()
    if (leader._tag === "Leading" && leader.lease.released) propose({ _tag: "Campaign", above: Ballot.zero })
    requests.drain()
  }
}
