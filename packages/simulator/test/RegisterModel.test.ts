/** Quorum tables of any kind, and all that can happen to one register under them. */
import { Ballot, NodeId, Quorum, RegisterAcceptor, RegisterProposer } from "@synod/paxos"
import type { QuorumSystem } from "@synod/paxos"
import { ModelCheck, RegisterModel } from "@synod/simulator"
import { Either, FastCheck } from "effect"
import { assert, describe, it } from "vitest"

const members = [1, 2, 3].map(NodeId.make)
const [a, b] = members as [NodeId.NodeId, NodeId.NodeId]

/** Proposers ask everybody in any round, and are told nothing but promises: the fewest steps in which two values can be decided. */
const small = (quorums: QuorumSystem.QuorumSystem, rounds: number): RegisterModel.Options => ({
  quorums: { ...quorums, changesAt: [] },
  proposers: [a, b],
  rounds,
  answers: false,
  roles: RegisterModel.production
})

const sets = FastCheck.array(FastCheck.subarray(members, { minLength: 1 }), { minLength: 1, maxLength: 2 })
const rows = FastCheck.array(FastCheck.record({ prepare: sets, accept: sets }), { minLength: 1, maxLength: 2 })

type Listed = ReadonlyArray<{ readonly [Phase in "prepare" | "accept"]: ReadonlyArray<ReadonlyArray<NodeId.NodeId>> }>

/** The table, whether it is safe or not: a row for each round. */
const unchecked = (listed: Listed): QuorumSystem.QuorumSystem => {
  const holdsOneOf = (sets: ReadonlyArray<ReadonlyArray<NodeId.NodeId>>, nodes: ReadonlySet<NodeId.NodeId>) =>
    sets.some((set) => set.every((node) => nodes.has(node)))
  const rowOf = (round: number) => listed[Math.min(round, listed.length) - 1]!
  return {
    name: `an unchecked table of ${listed.length} rows`,
    members,
    changesAt: [],
    isPrepareQuorum: (round, nodes) => holdsOneOf(rowOf(round).prepare, nodes),
    isAcceptQuorum: (round, nodes) => holdsOneOf(rowOf(round).accept, nodes)
  }
}

/** A search that needs more states than this takes too long for a test. */
const most = 150_000

const check = (options: RegisterModel.Options) => {
  const model = RegisterModel.make(options)
  const report = ModelCheck.check(model, { states: most })
  const violated = report.failures.filter(({ _tag }) => _tag === "Violated")
  return { ...report, violated: violated.map((failure) => ModelCheck.story(model, failure)) }
}

describe("the register, in every state", () => {
  it("never decides two values under a random table that keeps the rule, and does under one that doesn't", () => {
    const seen = { safe: 0, unsafe: 0, states: 0 }
    const property = FastCheck.property(rows, (listed) => {
      const made = Quorum.table(
        members,
        listed.map((row, i) => ({ from: i + 1, ...row }))
      )
      if (Either.isLeft(made) && made.left._tag === "QuorumsUnusable") return
      const { end, states, violated } = check(small(unchecked(listed), listed.length))
      seen.states += states
      if (Either.isRight(made)) {
        seen.safe++
        assert.deepStrictEqual([end, violated], ["exhausted", []])
      } else {
        seen.unsafe++
        assert.strictEqual(end, "violated")
        assert.include(violated.join(), RegisterModel.oneValue)
      }
    })
    FastCheck.assert(property, { numRuns: 14, seed: 5 })
    assert.isAbove(seen.safe, 3)
    assert.isAbove(seen.unsafe, 3)
  })

  it.each([
    ["by majorities", Either.getOrThrow(Quorum.majority([a, b])), 1, [a, b], 91_716],
    ["all aboard", Either.getOrThrow(Quorum.allAboard([a, b], { fast: 2 })), 2, [a, b], 9_706]
  ] as const)(
    "keeps all its properties %s, with proposers that are answered",
    (_name, quorums, rounds, proposers, count) => {
      const { end, failures, states } = check({ ...small(quorums, rounds), quorums, proposers, answers: true })
      assert.deepStrictEqual([end, failures, states], ["exhausted", [], count])
    }
  )
})

/** A shortest story in which two values are decided. */
const storyOf = (options: RegisterModel.Options): string => check(options).violated.join()

const mutant = (roles: Partial<RegisterModel.Roles>) => ({ roles: { ...RegisterModel.production, ...roles } })

describe("a mutant is caught:", () => {
  const majority = small(Either.getOrThrow(Quorum.majority(members)), 1)

  it("an acceptor that accepts below its promise", () => {
    const lax = mutant({
      acceptor: (state, message) => {
        const isBelow = message._tag === "Accept" && Ballot.lessThan(message.ballot, state.promised)
        if (!isBelow || state.accepted !== null) return RegisterAcceptor.step(state, message)
        const { actions, state: next } = RegisterAcceptor.step(
          { ...state, promised: message.ballot, life: message.life },
          message
        )
        const { life, promised } = state
        return { state: { ...next, life, promised }, actions }
      }
    })
    assert.include(storyOf({ ...majority, ...lax }), RegisterModel.oneValue)
  })

  it("a proposer that proposes its own value whatever it finds", () => {
    const deaf = mutant({
      proposer: (state, input, options) =>
        input._tag === "Receive" && input.message._tag === "Promise"
          ? RegisterProposer.step(state, { ...input, message: { ...input.message, accepted: null } }, options)
          : RegisterProposer.step(state, input, options)
    })
    assert.include(storyOf({ ...majority, ...deaf }), RegisterModel.oneValue)
  })

  it("a prepare quorum that is too small", () => {
    const { quorums } = majority
    const few: QuorumSystem.QuorumSystem = { ...quorums, isPrepareQuorum: (_round, nodes) => nodes.size > 0 }
    assert.include(storyOf({ ...majority, quorums: few }), RegisterModel.oneValue)
  })

  it("a ballot that is used again, by another request of the same node", () => {
    const quorums = Either.getOrThrow(Quorum.flexible([a, b], { prepare: 2, accept: 1 }))
    const forgetful = mutant({
      acceptor: (state, message) => {
        const isAsked =
          (message._tag === "Prepare" || message._tag === "Accept") && Ballot.equals(message.ballot, state.promised)
        return RegisterAcceptor.step(isAsked ? { ...state, life: message.life } : state, message)
      }
    })
    const shared = { ...small(quorums, 1), proposers: [a, a] }
    assert.strictEqual(storyOf(shared), "")
    assert.include(storyOf({ ...shared, ...forgetful }), RegisterModel.oneValue)
  })
})
