/**
 * A node of the core tier: the plain steps of all four roles, put together as a replica's actors put them together, with a
 * journal, timers, and a machine. It can crash between any two actions, and stand still.
 *
 * ```
 *   network ──► acceptor ── persist, then replies, then chosen ──► learner ──► machine ──► clients
 *   clients ──► proposer ── Prepare, Accept ──► acceptors: the others', then its own
 *   timers  ──► election ── Campaign, Follow ──► proposer
 * ```
 *
 * @internal
 */
import { Ballot, Epoch, Proposer } from "@synod/paxos"
import type { Membership, NodeId } from "@synod/paxos"
import type { Rates } from "../Fault.js"
import { CoreAcceptor } from "./coreAcceptor.js"
import type { CoreDisk } from "./coreDisk.js"
import { CoreElection } from "./coreElection.js"
import { CoreLearner } from "./coreLearner.js"
import { CoreLife } from "./coreLife.js"
import { nameOf, type Address, type Envelope } from "./coreMessage.js"
import { CoreProposer } from "./coreProposer.js"
import type { Waiting } from "./coreRequests.js"
import { placeOf, type Place, type Self } from "./coreSelf.js"
import { CoreSnapshots } from "./coreSnapshots.js"
import type { World } from "./coreWorld.js"

/** @internal */
export interface NodeWorld extends World {
  /** A number for each life of each node. */
  readonly newLife: () => number
  /** The node has stopped, and may be started again. */
  readonly stopped: (node: CoreNode) => void
  /** The node has become leader. */
  readonly leads: (node: CoreNode) => void
}

/** @internal */
export class CoreNode {
  readonly name: string
  readonly life: CoreLife
  private place: Place
  private readonly election: CoreElection
  private readonly proposer: CoreProposer
  private readonly acceptor: CoreAcceptor
  private readonly learner: CoreLearner
  private readonly snapshots: CoreSnapshots

  constructor(
    readonly id: NodeId.NodeId,
    readonly disk: CoreDisk,
    private readonly world: NodeWorld,
    rates: Rates
  ) {
    const name = nameOf(id)
    const stopped = () => {
      disk.crash()
      world.stopped(this)
    }
    const life = new CoreLife({ name, stopped }, world, rates)
    this.name = name
    this.life = life
    this.place = this.placeIn(disk.durable.epochs.present)
    const self: Self = {
      id,
      name,
      disk,
      life,
      place: () => this.place,
      tellIn: (epoch, run) =>
        life.tell(() => {
          if (this.epoch.number === epoch) run()
        })
    }
    this.snapshots = new CoreSnapshots(
      {
        ...self,
        acceptor: () => this.acceptor.state,
        applied: () => this.learner.applied,
        input: (message) => this.acceptor.tell(message)
      },
      world
    )
    this.proposer = new CoreProposer(
      {
        ...self,
        accept: (message) => this.acceptor.tell(message, this.epoch.number),
        elect: (input) => this.election.take(input),
        leader: () => this.election.state.leader.node,
        applied: () => this.learner.applied,
        leads: () => world.leads(this)
      },
      world
    )
    this.election = new CoreElection(
      {
        ...self,
        propose: (input) => this.proposer.take(input),
        prefer: (to) => this.proposer.handOver.prefer(to),
        poll: () => this.acceptor.poll()
      },
      world
    )
    this.learner = new CoreLearner({ ...self, requests: this.proposer.requests, snapshots: this.snapshots }, world)
    this.acceptor = new CoreAcceptor(
      {
        ...self,
        propose: (input) => this.proposer.take(input),
        elect: (input) => this.election.take(input),
        learn: (input) => this.learner.take(input),
        enter: (epoch) => this.enter(epoch),
        pull: (source) => this.snapshots.pull(source)
      },
      world
    )
  }

  get epoch(): Epoch.Epoch {
    return this.place.epoch
  }

  get applied(): number {
    return this.life.isUp ? this.learner.applied : 0
  }

  get isLeading(): boolean {
    return this.life.isUp && this.proposer.state._tag === "Leading"
  }

  /** The ballot under which it leads, or tries to. */
  get claim(): Ballot.Ballot {
    return Proposer.claim(this.proposer.state).claim
  }

  get isHandingOver(): boolean {
    return this.proposer.handOver.isUnderWay
  }

  start(): void {
    if (this.life.isUp) return
    const { judge, newLife, trace } = this.world
    const { durable, snapshots } = this.disk
    this.life.begin(newLife())
    trace.event(
      this.name,
      "starts",
      durable.acceptedThrough,
      () => `starts with ballot ${Ballot.format(durable.promised)}`
    )
    const snapshot = snapshots.find(({ slot }) => slot >= durable.trimmedThrough)
    this.place = this.placeIn(durable.epochs.present)
    this.acceptor.begin()
    this.proposer.begin(durable.promised)
    this.election.begin(durable.promised)
    this.learner.begin(snapshot)
    if (durable.acceptedThrough > 0) judge.happened("a node comes back with a log")
    this.life.perform(() => {
      // Chosen through there at least, which the journal may not have noted.
      if (snapshot !== undefined) this.acceptor.tell({ _tag: "Install", slot: snapshot.slot, at: snapshot.at })
      this.learner.goOn(durable.chosenThrough)
      this.election.round()
      this.proposer.resend()
    })
  }

  // What is asked of a leader

  /** Ends the epoch with a change, if it leads and may. */
  change(wanted: Membership.Membership): boolean {
    return this.proposer.change(wanted)
  }

  /** Hands the lead over, if it has it. */
  handOver(): boolean {
    const { handOver } = this.proposer
    if (!handOver.begin(undefined)) return false
    this.life.perform(() => handOver.goOn())
    return true
  }

  /** A command from nobody, straight into the queue of a node that leads. */
  probe(command: Waiting): void {
    this.life.perform(() => {
      if (this.isLeading) this.proposer.requests.serve("submit", command)
    })
  }

  // Epochs

  /** Its roles get the members and quorums of this epoch. */
  private placeIn(epoch: Epoch.Epoch): Place {
    const { id, world } = this
    const quorums = world.steps.quorums(epoch.membership)
    return placeOf(id, epoch, quorums, world)
  }

  /** Proposer and election begin anew; whoever led goes first, so that nobody waits for an election. */
  private enter(epoch: Epoch.Epoch): void {
    const led = this.election.state.leader.node
    this.world.trace.event(this.name, "enters", epoch.number, () => `enters epoch ${epoch.number}`)
    this.proposer.resign(Ballot.zero)
    this.place = this.placeIn(epoch)
    this.proposer.enter()
    this.election.enter()
    if (!Epoch.begins(epoch, this.id, led)) return
    this.life.tell(() => {
      if (this.epoch === epoch) this.proposer.take({ _tag: "Campaign", above: Ballot.zero })
    })
  }

  // Messages

  get(from: Address, envelope: Envelope): void {
    if (this.life.isUp) return this.life.perform(() => this.handle(from, envelope))
    if (envelope.kind !== "ask") return
    this.world.network.send(this.id, from, { kind: "refused", round: envelope.message.round })
  }

  private handle(from: Address, envelope: Envelope): void {
    if (!this.isOfThisEpoch(from, envelope)) return
    const peer = from as NodeId.NodeId
    switch (envelope.kind) {
      case "ask":
        return this.election.hear(peer, envelope.message)
      case "heard":
        return this.election.heard(peer, envelope.message)
      case "refused":
        return this.election.refused(peer, envelope.round)
      case "takeOver":
        return this.election.take({ _tag: "TakeOver", message: envelope.message })
      case "acceptor": {
        const { epoch, message } = envelope
        if (message._tag === "Prepare" && !this.world.steps.heeds(this.election.state, message)) return
        return this.acceptor.get(peer, message, epoch)
      }
      case "learn":
        return this.acceptor.get(peer, envelope.message)
      case "lesson":
        return this.acceptor.taught(peer, envelope.message)
      case "proposer":
        return this.proposer.take({ _tag: "Receive", from: peer, message: envelope.message })
      case "fetchSnapshot":
        return this.snapshots.serve(peer, envelope.epoch, envelope.ballot)
      case "snapshot":
        return this.snapshots.got(envelope.snapshot)
      case "noSnapshot":
        return this.snapshots.got(undefined)
      case "submit":
      case "read": {
        const { client, sequence } = envelope
        const kind = envelope.kind === "read" && envelope.leased ? "leased" : envelope.kind
        return this.proposer.requests.serve(kind, { from, client, sequence })
      }
      case "late":
        return envelope.epoch > this.epoch.number ? this.acceptor.catchUp(peer) : undefined
      case "answer":
      case "notLeader":
        return
    }
  }

  /** Messages of other epochs do nothing, but that whoever is behind catches up. */
  private isOfThisEpoch(from: Address, envelope: Envelope): boolean {
    const own = this.epoch.number
    if (!("epoch" in envelope) || envelope.kind === "late" || envelope.kind === "fetchSnapshot") return true
    const verdict = this.world.steps.judge(own, envelope.epoch)
    if (verdict === "behind") this.acceptor.catchUp(from as NodeId.NodeId)
    if (verdict === "late") {
      this.world.judge.happened("a message of an epoch that is over does nothing")
      if (envelope.kind !== "heard" && envelope.kind !== "proposer") {
        this.world.network.send(this.id, from, { kind: "late", epoch: own })
      }
    }
    return verdict === "obey"
  }
}
