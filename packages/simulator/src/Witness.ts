/**
 * Sees what replicas of a simulated world do, at the two places where it counts: what they write to their journals, and
 * what they apply to their machines. Every property of the protocol and of the machine is judged from these, never from
 * what a replica says of itself.
 *
 * ```
 *   acceptor ──► journal(node, …) ──► disk          learner ──► executor(node, …) ──► machine
 *                    │ votes, watermarks                             │ entries, replies, digests
 *                    └──────────────► witness ◄──────────────────────┘
 * ```
 *
 * @since 0.1.0
 */
import type { Journal } from "@synod/journal"
import { Ballot, Membership } from "@synod/paxos"
import type { Durable, Entry, NodeId } from "@synod/paxos"
import * as Applying from "@synod/replica/Applying"
import { Batch, Envelope } from "@synod/state-machine"
import type { Executor, Machine, Outcome } from "@synod/state-machine"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as BallotBox from "./BallotBox.js"
import type { Chronicle } from "./internal/chronicle.js"
import * as Performed from "./internal/performed.js"
import type { Applied, Opened, Subject } from "./Subject.js"
import type { World } from "./World.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Witness<State> extends Performed.Judge {
  /** The journal of a node, watched. */
  readonly journal: (node: NodeId.NodeId, journal: Journal.Journal["Type"]) => Journal.Journal["Type"]
  /** The machines of a node, watched. */
  readonly executor: (node: NodeId.NodeId, subject: Subject<State, any>) => Executor.Executor
  /** A client is about to send this command. */
  readonly submitted: (command: Uint8Array) => void
  /** A journal is gone: what its node held counts no longer. */
  readonly wiped: (node: NodeId.NodeId) => void
  /** Slots applied by anybody. */
  readonly applied: () => number
  /** The epoch that a node's journal is in. */
  readonly epochOf: (node: NodeId.NodeId) => number
  /** Ballots at which anything was accepted. */
  readonly ballots: () => number
  /** Commands that stood in the log more than once. */
  readonly repeats: () => number
  /** The slot in which a command stood for the first time; 0 for none. */
  readonly slotOf: (token: Outcome.Token) => number
  /** Whether some state from that slot on, of those there were so far, answers the query so. */
  readonly shows: (query: Uint8Array, answer: Uint8Array, from: number) => boolean
  /** Slots in which sessions ended. */
  readonly endings: () => number
  /** Slots that some journal no longer has. */
  readonly trimmed: () => number
  /** Machines that went on from a snapshot, and snapshots that took the place of a log that ended before them. */
  readonly restored: () => number
  readonly installed: () => number
  /** Machines that went through a stretch of the log once more, for those who follow. */
  readonly replays: () => number
  /** Journals that were looked at again after a write that failed, by a replica that went on. */
  readonly recoveries: () => number
  /** Slots that a machine could not apply, and tried again. */
  readonly failures: () => number
}

/** What is known of a slot once one replica has applied it. */
interface Slot {
  readonly batch: Uint8Array
  readonly time: number
  readonly digest: string
  readonly replies: string
  readonly state: any
}

/** What a journal holds. */
interface Held {
  state: Durable.Durable
  readonly log: Array<Entry.Entry>
  /** A write whose end was not seen: it may be there, or not. */
  pending: Durable.Write | undefined
}

/** A snapshot is taken and restored at one slot in so many. */
const snapshotEvery = 16

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = <State>(
  world: World,
  options: {
    readonly epochs: Chronicle
    /** What must hold of the machine's state after each slot; the answer is what is wrong, if anything. */
    readonly invariant?: ((shown: any) => string | undefined) | undefined
  }
): Witness<State> => {
  const { epochs } = options
  const box = BallotBox.make({
    quorums: epochs.quorums,
    chosen: (_slot, entry) => {
      const wrong = epochs.chosen(entry)
      if (wrong !== undefined) violate("safe quorums", wrong)
    }
  })
  const slots: Array<Slot> = []
  const commands = new Set<string>()
  /** The envelopes that stood in the log, by session and first sequence. */
  const seen = new Set<string>()
  /** By session and sequence. */
  const slotOf = new Map<string, number>()
  /** The machine of whoever was there first, to ask again what was asked. */
  let first: Subject<State, any> | undefined
  let endings = 0
  const ledger = Performed.make()
  const journals = new Map<NodeId.NodeId, Held>()
  let repeats = 0
  let trimmed = 0
  let restored = 0
  let installed = 0
  let replays = 0
  let recoveries = 0
  let failures = 0
  const { violate } = world

  const hold = (property: string, holds: boolean, sentence: () => string): void => {
    if (!holds) violate(property, sentence())
  }

  const rises = (node: NodeId.NodeId, before: Durable.Durable, after: Durable.Durable): void => {
    const [was, is] = [before.epochs.present, after.epochs.present]
    hold("epochs never fall", was.number <= is.number, () => {
      return `node ${node} goes back from epoch ${was.number} to epoch ${is.number}`
    })
    const decided = epochs.memberships[is.number - 1]
    hold(
      "epochs agree",
      is.number === 0 || (decided !== undefined && Membership.equals(decided, is.membership)),
      () => {
        return `node ${node} is in epoch ${is.number} with other members than the log has decided`
      }
    )
    hold(
      "watermarks",
      before.chosenThrough <= after.chosenThrough &&
        after.chosenThrough <= after.acceptedThrough &&
        before.trimmedThrough <= after.trimmedThrough &&
        after.trimmedThrough <= after.chosenThrough,
      () => {
        return `node ${node} holds ${after.acceptedThrough} slots, chosen through ${after.chosenThrough} after ${before.chosenThrough}, trimmed through ${after.trimmedThrough} after ${before.trimmedThrough}`
      }
    )
    if (was.number !== is.number) return
    hold("ballots never fall", !Ballot.lessThan(after.promised, before.promised), () => {
      return `node ${node} promises ${Ballot.format(after.promised)}, after ${Ballot.format(before.promised)}`
    })
    hold("ballots never fall", !Ballot.lessThan(after.acceptedBallot, before.acceptedBallot), () => {
      return `node ${node} takes a log of ballot ${Ballot.format(after.acceptedBallot)}, after one of a higher ballot`
    })
  }

  const journal: Witness<State>["journal"] = (node, inner) => {
    const held: Held = journals.get(node) ?? { state: inner.recovered, log: [], pending: undefined }
    journals.set(node, held)
    comesBack(node, held, inner.recovered)
    return {
      ...inner,
      recover: Effect.tap(inner.recover, (recovered) => {
        world.trace.event(String(node), "recovers")
        comesBack(node, held, recovered)
        recoveries++
      }),
      write: (write) =>
        Effect.suspend(() => {
          held.pending = write
          return Effect.map(inner.write(write), () => {
            held.pending = undefined
            include(node, held, write)
          })
        })
    }
  }

  /** What a journal holds when it is opened, or looked at again after a write that failed. */
  const comesBack = (node: NodeId.NodeId, held: Held, recovered: Durable.Durable): void => {
    const { pending } = held
    held.pending = undefined
    if (pending !== undefined && same(pending.state, recovered)) include(node, held, pending)
    hold("durable before spoken", same(held.state, recovered), () => {
      const [now, then] = [Ballot.format(recovered.promised), Ballot.format(held.state.promised)]
      const [has, had] = [recovered.acceptedThrough, held.state.acceptedThrough]
      return `node ${node} comes back with promise ${now} and slots through ${has}, and had ${then} and ${had}`
    })
  }

  /** A write is durable. */
  const include = (node: NodeId.NodeId, held: Held, write: Durable.Write): void => {
    world.trace.event(String(node), "writes", () => tellWrite(write))
    rises(node, held.state, write.state)
    leaps(node, held, write)
    held.log.splice(write.after, write.entries.length, ...write.entries)
    held.log.length = write.state.acceptedThrough
    held.state = write.state
    const wrong = box.record(node, write.state, held.log)
    if (wrong !== undefined) violate(wrong.property, wrong.sentence)
  }

  /** A snapshot may take the place only of what is chosen, also where the log held something else, or nothing. */
  const leaps = (node: NodeId.NodeId, held: Held, { state }: Durable.Write): void => {
    const { trimmedThrough } = state
    if (trimmedThrough === held.state.trimmedThrough) return
    hold("only what is chosen is trimmed", trimmedThrough <= box.chosen.length, () => {
      return `node ${node} trims its log through slot ${trimmedThrough}, which no quorum has accepted`
    })
    trimmed = Math.max(trimmed, trimmedThrough)
    if (trimmedThrough > held.state.acceptedThrough) installed++
    for (let i = held.state.chosenThrough; i < trimmedThrough; i++) held.log[i] = box.chosen[i]!
  }

  /**
   * Every command was sent by somebody. The batch without the commands that were there before: the envelopes stay, since they
   * use their sessions, and so decide which one ends.
   */
  const fresh = (batch: Uint8Array, slot: number): ReadonlyArray<Uint8Array> => {
    const envelopes = Either.getOrElse(Batch.decode(batch), () => [])
    return envelopes.map((bytes) => {
      const envelope = Either.getOrUndefined(Envelope.decode(bytes))
      if (envelope?._tag !== "Call" || envelope.commands.length === 0) return bytes
      for (const [i, command] of envelope.commands.entries()) {
        const token = `${envelope.session} ${envelope.first + i}`
        if (!slotOf.has(token)) slotOf.set(token, slot)
        hold("only what was submitted", commands.has(latin1(command)), () => {
          return `slot ${slot} holds a command that no client sent`
        })
      }
      const name = `${envelope.session} ${envelope.first}`
      if (seen.has(name)) {
        repeats++
        return Envelope.encode({ ...envelope, commands: [] })
      }
      seen.add(name)
      return bytes
    })
  }

  const executor: Witness<State>["executor"] = (node, inner) => {
    first ??= inner
    return {
      ...inner.executor,
      open: (where) => Effect.map(inner.open(where), (machine) => watch(node, inner, machine)),
      apart: (where) =>
        Effect.map(inner.executor.apart(where), (machine) => {
          replays++
          return machine
        })
    }
  }

  /** What a query is answered after a slot that was applied; the state before the first one answers too. */
  const answered = (slot: number, query: Uint8Array): Uint8Array | undefined => {
    const known = slots[slot - 1]
    const state = slot === 0 ? first?.initial : known?.state
    return state === undefined ? undefined : first!.query(state, { slot, time: known?.time ?? 0 }, query)
  }

  const watch = (node: NodeId.NodeId, inner: Subject<State, any>, machine: Opened<State>): Machine.Machine => {
    let { slot: through, time } = machine.at()
    /** The state after the last slot, as it was then. */
    let last = machine.replicated()
    let lastDigest = inner.digest(last)
    hold("equal digests", through === 0 || slots[through - 1]?.digest === lastDigest, () => {
      return `node ${node} opens its machine at slot ${through} with another state than others had then`
    })

    /** It goes on from a snapshot, which must be what everybody else had after that slot. */
    const goesOn = (at: Machine.At): void => {
      restored++
      through = at.slot
      time = at.time
      last = machine.replicated()
      lastDigest = inner.digest(last)
      hold("equal digests", slots[through - 1]?.digest === lastDigest, () => {
        return `node ${node} goes on from a snapshot at slot ${through} that holds another state than others had then`
      })
    }

    const restore = Effect.map(machine.restore, (restoration): Machine.Restoration => ({
      ...restoration,
      end: (at) =>
        Effect.map(restoration.end(at), (prepared) => ({
          at,
          adopt: Effect.map(prepared.adopt, () => goesOn(at))
        }))
    }))

    const apply: Machine.Machine["apply"] = (at, batch, performed, decoded) => {
      const state = last
      hold("in order", at.slot === through + 1, () => `node ${node} applies slot ${at.slot} after slot ${through}`)
      hold("time never goes back", at.time >= time, () => `node ${node} applies slot ${at.slot} at an earlier time`)
      const chosen = box.chosen[at.slot - 1]
      hold("only what is chosen", chosen !== undefined && equal(Applying.batchOf(chosen), batch), () => {
        return `node ${node} applies in slot ${at.slot} what no quorum has accepted there`
      })
      const result = machine.apply(at, batch, performed, decoded)
      if (Either.isLeft(result)) {
        failures++
        world.trace.event(String(node), "fails", () => `slot ${at.slot}: ${result.left.message}`)
        return result
      }
      through = at.slot
      time = at.time
      const applied = { state: machine.replicated(), replies: result.right }
      const digest = inner.digest(applied.state)
      const replies = applied.replies.map(latin1).join()
      world.trace.event(String(node), "applies", () => `slot ${at.slot}, digest ${digest}`)
      const known = slots[at.slot - 1]
      if (known === undefined) {
        hold("handlers leave the state alone", inner.digest(state) === lastDigest, () => {
          return `a handler changes the state it is given, in slot ${at.slot}: give back a new one instead`
        })
        examine(state, at, batch, applied, digest, replies)
        slots[at.slot - 1] = { batch, time: at.time, digest, replies, state: applied.state }
      } else {
        hold("equal digests", known.digest === digest && known.replies === replies && known.time === at.time, () => {
          return `node ${node} comes to another ${known.digest === digest ? "reply" : "state"} than others at slot ${at.slot}: ${deterministic}`
        })
      }
      last = applied.state
      lastDigest = digest
      return result
    }

    /** The first replica to apply a slot is looked at closely. */
    const examine = (
      state: State,
      at: Machine.At,
      batch: Uint8Array,
      applied: Applied<State>,
      digest: string,
      replies: string
    ): void => {
      const again = inner.apply(state, at, batch)
      const same = inner.digest(again.state) === digest && again.replies.map(latin1).join() === replies
      hold("deterministic", same, () => `slot ${at.slot} gives two results when it is applied twice: ${deterministic}`)
      const { open, over } = inner.sessions(applied.state)
      if (inner.sessions(state).over !== over) endings++
      const { most } = inner.executor.sessions
      hold("sessions are bounded", open <= most, () => {
        return `${open} sessions are open after slot ${at.slot}, and there may be ${most}`
      })
      ledger.note(at, batch, applied.replies)
      const envelopes = fresh(batch, at.slot)
      const once = inner.apply(state, at, Batch.encode(envelopes)).state
      hold("applied at most once", inner.own(once) === inner.own(applied.state), () => {
        return `a command that was applied before changes the state again in slot ${at.slot}`
      })
      if (at.slot % snapshotEvery === 0) {
        const restored = inner.again(applied.state)
        hold("snapshots are whole", Either.isRight(restored) && restored.right === digest, () => {
          return Either.isLeft(restored)
            ? `a snapshot at slot ${at.slot} can't be read: ${restored.left.message}`
            : `a snapshot at slot ${at.slot} restores to another state: look at the schema of the state`
        })
      }
      const wrong = options.invariant?.(inner.shown(applied.state))
      if (wrong !== undefined) violate("invariant", `after slot ${at.slot}: ${wrong}`)
    }

    return { ...machine, apply, restore }
  }

  return {
    journal,
    executor,
    submitted: (command) => void commands.add(latin1(command)),
    wiped: (node) => void journals.delete(node),
    applied: () => slots.length,
    epochOf: (node) => journals.get(node)?.state.epochs.present.number ?? 0,
    ballots: box.ballots,
    repeats: () => repeats,
    slotOf: ({ sequence, session }) => slotOf.get(`${session} ${sequence}`) ?? 0,
    shows: (query, answer, from) => {
      for (let slot = slots.length; slot >= from; slot--) {
        const found = answered(slot, query)
        if (found !== undefined && equal(found, answer)) return true
      }
      return false
    },
    ...ledger.judge(answered),
    endings: () => endings,
    trimmed: () => trimmed,
    restored: () => restored,
    installed: () => installed,
    replays: () => replays,
    recoveries: () => recoveries,
    failures: () => failures
  }
}

const deterministic =
  "a handler may depend on the state, the command, Effect's Clock and Random, and on nothing else, such as a variable outside of it"

const same = (a: Durable.Durable, b: Durable.Durable): boolean =>
  a.epochs.present.number === b.epochs.present.number &&
  Ballot.equals(a.promised, b.promised) &&
  Ballot.equals(a.acceptedBallot, b.acceptedBallot) &&
  a.acceptedThrough === b.acceptedThrough &&
  a.chosenThrough === b.chosenThrough &&
  a.trimmedThrough === b.trimmedThrough

const latin1 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1")

const equal = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0

const tellWrite = ({ after, entries, state }: Durable.Write): string => {
  const run = entries.length === 0 ? "no entries" : `slots ${after + 1} to ${after + entries.length}`
  const { acceptedBallot, acceptedThrough, chosenThrough, promised, trimmedThrough } = state
  const log = `log ${Ballot.format(acceptedBallot)} through ${acceptedThrough}, chosen ${chosenThrough}, trimmed ${trimmedThrough}`
  return `${run}, promised ${Ballot.format(promised)}, ${log}`
}
