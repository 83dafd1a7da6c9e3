/**
 * The world around the nodes of the core tier, as each of their parts sees it.
 *
 * @internal
 */
import type { NodeId } from "@synod/paxos"
import type { CoreSteps } from "../CoreSteps.js"
import type { Counts } from "../Fault.js"
import type { Seeded } from "../Seeded.js"
import type { Agenda } from "./agenda.js"
import type { CoreJudge } from "./coreJudge.js"
import type { CoreNetwork } from "./coreNetwork.js"
import type { Setting } from "./coreSetting.js"
import type { CoreTrace } from "./coreTrace.js"

/** @internal */
export interface World {
  readonly now: () => number
  readonly agenda: Agenda<() => void>
  readonly seeded: Seeded
  readonly counts: Counts
  readonly setting: Setting
  /** Nodes that are asked by whoever belongs to nothing. */
  readonly founders: ReadonlyArray<NodeId.NodeId>
  readonly steps: CoreSteps
  readonly network: CoreNetwork
  readonly judge: CoreJudge
  readonly trace: CoreTrace
}
