/**
 * What holds of every step of an acceptor. A breach is a defect that stops the replica before it can speak.
 *
 * @since 0.1.0
 */
import type { Input, State } from "./Accepting.js"
import * as Ballot from "./Ballot.js"
import * as Entry from "./Entry.js"
import { hold } from "./Invariant.js"
import * as Log from "./Log.js"
import * as Slot from "./Slot.js"

/**
 * @since 0.1.0
 * @category invariants
 */
export const check = (before: State, { _tag }: Input, after: State): void => {
  const [was, is] = [before.epochs.present, after.epochs.present]
  const rises = (a: Ballot.Ballot, b: Ballot.Ballot) => a === b || was !== is || !Ballot.lessThan(b, a)
  hold("acceptor", "epochs follow each other", was === is || (was.number < is.number && was.after <= is.after))
  hold("acceptor", "what an epoch begins behind is chosen", is.after <= after.chosenThrough)
  hold("acceptor", "a promise never falls", rises(before.promised, after.promised))
  hold("acceptor", "an accepted ballot never falls", rises(before.acceptedBallot, after.acceptedBallot))
  hold("acceptor", "accepted ballot <= promised", rises(after.acceptedBallot, after.promised))
  const learns = _tag === "Learned" || _tag === "Install"
  hold(
    "acceptor",
    "only Prepare, and what was chosen at a higher ballot, moves a promise",
    _tag === "Prepare" || learns || was !== is || before.promised === after.promised
  )
  hold(
    "acceptor",
    "only Accept, Learned and Install move the log, and Applied what of it is in memory",
    _tag === "Accept" ||
      learns ||
      before.log === after.log ||
      (_tag === "Applied" && before.log.through === after.log.through)
  )
  hold("acceptor", "a grant is not taken back", was !== is || before.grantedUntil <= after.grantedUntil)
  hold("acceptor", "chosen never shrinks", before.chosenThrough <= after.chosenThrough)
  hold("acceptor", "chosen <= accepted", after.chosenThrough <= after.log.through)
  hold("acceptor", "trimmed never shrinks", before.trimmedThrough <= after.trimmedThrough)
  hold("acceptor", "trimmed <= chosen", after.trimmedThrough <= after.chosenThrough)
  hold("acceptor", "only what is chosen leaves memory", after.log.base <= after.chosenThrough)
  if (Log.sharesAllOf(after.log, before.log)) return
  for (let slot = Slot.plus(after.log.base, 1); slot <= before.chosenThrough; slot = Slot.plus(slot, 1)) {
    const was = Log.get(before.log, slot)
    const is = Log.get(after.log, slot)
    if (was === is) continue
    hold(
      "acceptor",
      `the chosen entry of slot ${slot} never changes`,
      is !== undefined && (was === undefined || Entry.equals(was, is))
    )
  }
}
