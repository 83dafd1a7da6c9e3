import { assert, describe, it } from "@effect/vitest"
import { Acceptor, Ballot, Membership, NodeId, Proposer, Quorum, QuorumSpec, Slot } from "@synod/paxos"
import { CoreModel, ModelCheck } from "@synod/simulator"
import { Either } from "effect"

/** Searches take seconds on a quiet machine; a busy one may need many times that. */
const timeout = 240_000

const nodes = (...ids: ReadonlyArray<number>) => ids.map(NodeId.make)

const small: CoreModel.Options = { ...CoreModel.defaults, slots: 1, crashes: 0 }

describe("the core", () => {
  it("keeps all its properties in every state of a small world", { timeout }, () => {
    const report = ModelCheck.check(CoreModel.make({ ...small, crashes: 1 }))
    assert.deepStrictEqual([report.states, report.end, report.failures], [245_008, "exhausted", []])
  })

  it.each([
    ["one proposer that crashes", { ...small, proposers: nodes(1), crashes: 1 }, 5_397, 27_601],
    [
      "two nodes, both proposers, one of which crashes, two slots",
      { ...CoreModel.defaults, quorums: Either.getOrThrow(Quorum.majority(nodes(1, 2))) },
      5_530,
      140_957
    ]
  ] as const)("comes to the same with messages kept for good: %s", (_name, options, few, many) => {
    const [collected, all] = [true, false].map((collect) => {
      const seen = new Set<string>()
      const model = CoreModel.make({ ...options, collect })
      const { states } = ModelCheck.check({
        ...model,
        properties: [
          { kind: "Always", name: "seen", holds: (state) => Boolean(seen.add(model.describeState(state).join())) }
        ]
      })
      return { states, seen: Array.from(seen).sort() }
    })
    assert.deepStrictEqual([collected!.states, all!.states], [few, many])
    assert.deepStrictEqual(collected!.seen, all!.seen)
  })

  it("keeps them too where a member takes the place of another", { timeout }, () => {
    const report = ModelCheck.check(CoreModel.make({ ...CoreModel.replacing, proposers: nodes(2) }))
    assert.deepStrictEqual([report.states, report.end, report.failures], [41_478, "exhausted", []])
  })

  it("is told that a bound kept it from what it was to see", () => {
    const report = ModelCheck.check(CoreModel.make(small), { depth: 5 })
    assert.strictEqual(report.end, "depth")
    assert.include(
      report.failures.map(({ property }) => property),
      "slot 1 is chosen"
    )
  })
})

const agreement = "no slot is chosen with two entries"

/** A shortest story in which the mutant breaks agreement, or, if given, another property. */
const storyOf = (options: Partial<CoreModel.Options>, property = agreement): string => {
  const model = CoreModel.make({ ...small, ...options })
  const only = { ...model, properties: model.properties.filter(({ name }) => name === property) }
  assert.strictEqual(only.properties.length, 1)
  return ModelCheck.check(only, { states: 1_000_000 })
    .failures.map((failure) => ModelCheck.story(only, failure))
    .join()
}

const mutant = (roles: Partial<CoreModel.Roles>): Partial<CoreModel.Options> => ({
  roles: { ...CoreModel.production, ...roles }
})

describe("a mutant is caught:", () => {
  it("an acceptor that forgets its promise when it restarts", { timeout }, () => {
    const forgetful = mutant({
      recover: (durable, entries) => ({ ...Acceptor.recover(durable, entries), promised: durable.acceptedBallot })
    })
    const story = storyOf({ ...forgetful, crashes: 1 })
    assert.include(story, `"${agreement}" does not hold after 20 actions`)
    assert.include(story, "crashes and comes back with what its journal holds")
    assert.include(story, "accepted [1.2/1] at 1.2")
    assert.include(storyOf({ ...forgetful, crashes: 1 }, "a promise never falls"), "after 3 actions")
  })

  it("an acceptor that promises before the promise is on disk", () => {
    const hasty = mutant({
      acceptor: (state, message, options) => {
        const next = Acceptor.step(state, message, options)
        if (message._tag !== "Prepare") return next
        return { ...next, actions: next.actions.filter(({ _tag }) => _tag !== "Persist") }
      }
    })
    assert.include(storyOf({ ...hasty, crashes: 1 }, "a promise never falls"), "after 3 actions")
  })

  it("an acceptor that accepts below its promise", { timeout }, () => {
    const lax = mutant({
      acceptor: (state, message, options) => {
        if (message._tag !== "Accept" || !Ballot.lessThan(message.ballot, state.promised)) {
          return Acceptor.step(state, message, options)
        }
        const next = Acceptor.step({ ...state, promised: message.ballot }, message, options)
        return { ...next, state: { ...next.state, promised: state.promised } }
      }
    })
    // Messages below a promise are dead to an acceptor that keeps it, and not to this one.
    assert.include(storyOf({ ...lax, collect: false }), "does not hold after 18 actions")
  })

  it("a proposer that adopts nothing of what it is told", { timeout }, () => {
    const deaf = mutant({
      proposer: (state, input, options) => {
        if (input._tag !== "Receive" || input.message._tag !== "Promise") return Proposer.step(state, input, options)
        const nothing = { acceptedBallot: Ballot.zero, acceptedThrough: Slot.zero, chosenThrough: Slot.zero }
        return Proposer.step(state, { ...input, message: { ...input.message, ...nothing } }, options)
      }
    })
    assert.include(storyOf(deaf), "does not hold after 18 actions")
  })

  it("quorums that don't intersect", () => {
    const quorums: Quorum.QuorumSystem = {
      name: "prepare 2, accept 1 of 3",
      members: nodes(1, 2, 3),
      changesAt: [],
      isPrepareQuorum: (_round, nodes) => nodes.size >= 2,
      isAcceptQuorum: (_round, nodes) => nodes.size >= 1
    }
    assert.include(storyOf({ quorums }), `Synod's core, prepare 2, accept 1 of 3`)
  })

  const leaving: CoreModel.Options = { ...CoreModel.leaving, crashes: 0 }
  const sound = "the invariants of every role hold"

  it("an entry behind a stop sign", { timeout }, () => {
    const open = (state: Proposer.State): Proposer.State =>
      state._tag === "Leading" ? { ...state, stops: false } : state
    const deaf = mutant({
      proposer: (state, input, options) => {
        const next = Proposer.step(open(state), input, options)
        return { ...next, state: open(next.state) }
      }
    })
    assert.include(storyOf({ ...leaving, ...deaf, pipeline: 2 }, sound), "nothing stands behind a stop sign")
    // Before anybody knows the sign to be chosen, what stands behind it may be.
    const story = storyOf({ ...leaving, ...deaf, pipeline: 2 }, "nothing is chosen behind a stop sign")
    assert.include(story, "does not hold after")
  })

  it("a majority of the members of two epochs together", { timeout }, () => {
    const union = mutant({
      quorums: (memberships) => {
        const voters = Array.from(new Set(memberships.flatMap(({ voters }) => voters)))
        return Either.getOrThrow(Membership.make({ voters, learners: [], quorums: QuorumSpec.majority }))
      }
    })
    const story = storyOf({ ...leaving, ...union }, "what a node applies or believes chosen is chosen, in order")
    assert.include(story, "does not hold after 26 actions")
  })

  it("a late message of an epoch that is over, obeyed", { timeout }, () => {
    const late = mutant({ judge: (own, sent) => (sent <= own ? "obey" : "behind") })
    // Such a message is dead to a node that ignores it, and not to this one.
    assert.include(storyOf({ ...leaving, ...late, collect: false }, sound), "does not hold after 19 actions")
  })
})
