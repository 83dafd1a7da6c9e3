import { Transcript } from "@synod/simulator"
import { Either } from "effect"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { assert, describe, expect, it } from "vitest"

const run = (...lines: ReadonlyArray<string>) => Transcript.run(lines.join("\n"))
const told = (...lines: ReadonlyArray<string>) => Either.getOrThrow(run(...lines))
/** What came of the last command. */
const last = (...lines: ReadonlyArray<string>) =>
  told(...lines)
    .trimEnd()
    .split(`${lines[lines.length - 1]}\n`)
    .pop()
const refusal = (...lines: ReadonlyArray<string>) => {
  const refused = Either.flip(run(...lines))
  return Either.isRight(refused) ? refused.right.message : assert.fail("it was not refused")
}

const granted = [
  "> cluster 3",
  "> clients alice bob",
  "> node 1 prepares",
  "> deliver",
  "> alice asks node 1 for the lock",
  "> deliver"
]

describe("Transcript", () => {
  it("keeps the story and the commands, and replaces what came of them", () => {
    const text = told("# A story.", "", "> cluster 1", "nobody came", "nor later", "# The end.")
    assert.strictEqual(text, "# A story.\n\n> cluster 1\nnode 1, quorums: majority of 1\n# The end.\n")
    assert.strictEqual(told(text), text)
  })

  it("says what was expected where a line is no command", () => {
    expect(refusal("# A story.", "", "> cluster 3", "> node 2 prepare")).toMatchInlineSnapshot(
      `"Line 4, \`> node 2 prepare\`: expected goes or comes or crashes or restarts or joins or is or prepares or ticks after "node 2", found "prepare"."`
    )
    expect(refusal("> cluster 3", "> node two prepares")).toMatchInlineSnapshot(
      `"Line 2, \`> node two prepares\`: expected the number of a node after "node", found "two prepares"."`
    )
    expect(refusal("> cluster 3", "> node 1 prepares above 1.x")).toMatchInlineSnapshot(
      `"Line 2, \`> node 1 prepares above 1.x\`: expected a ballot, such as 1.3 after "node 1 prepares above", found "1.x"."`
    )
    expect(refusal("> cluster 3", "> node 1 prepares above 2.1 today")).toMatchInlineSnapshot(
      `"Line 2, \`> node 1 prepares above 2.1 today\`: expected the end of the line after "node 1 prepares above 2.1", found "today"."`
    )
    expect(refusal("> cluster 3", "> deliver Acept from 1")).toMatchInlineSnapshot(
      `"Line 2, \`> deliver Acept from 1\`: expected the end of the line or a kind of message (Prepare, Promise, Accept, Accepted, Fetch, Fetched, Rejected, Learn, Learned, Late, Inspect, Held, Decided), from, to, among after "deliver", found "Acept from 1"."`
    )
    expect(refusal("> cluster 3", "> nodes go offline")).toMatchInlineSnapshot(
      `"Line 2, \`> nodes go offline\`: expected the numbers of nodes after "nodes", found "go offline"."`
    )
    expect(refusal(">")).toMatchInlineSnapshot(
      `"Line 1, \`>\`: expected cluster or clients or nodes or node or heartbeats or a name in small letters or deliver or repeat or drop or registers or from or another or state or log or table or says or messages or expect, found the end of the line."`
    )
  })

  it("refuses what can't be done", () => {
    expect(refusal("> state")).toMatchInlineSnapshot(
      `"Line 1, \`> state\`: expected a cluster first, such as \`cluster 5\`, found none."`
    )
    expect(refusal("> cluster 10")).toMatchInlineSnapshot(
      `"Line 1, \`> cluster 10\`: expected at most 9 nodes, found 10."`
    )
    expect(refusal("> cluster 3", "> node 4 prepares")).toMatchInlineSnapshot(
      `"Line 2, \`> node 4 prepares\`: expected a node from 1 to 3, found node 4."`
    )
    expect(refusal("> cluster 3", "> node 1 crashes", "> node 1 prepares")).toMatchInlineSnapshot(
      `"Line 3, \`> node 1 prepares\`: expected node 1 to run, found that it has crashed."`
    )
    expect(refusal("> cluster 3", "> node 1 restarts")).toMatchInlineSnapshot(
      `"Line 2, \`> node 1 restarts\`: expected node 1 to be down, found that it runs."`
    )
    expect(refusal("> cluster 3", "> alice asks node 1 for the lock")).toMatchInlineSnapshot(
      `"Line 2, \`> alice asks node 1 for the lock\`: expected a client, and there is none yet, found alice."`
    )
    expect(refusal("> cluster 3", "> clients alice", "> alice asks node 1 again")).toMatchInlineSnapshot(
      `"Line 3, \`> alice asks node 1 again\`: expected alice to have asked before, found no request."`
    )
    expect(refusal("> cluster 3", "> clients alice", "> bob asks node 1 for the lock")).toMatchInlineSnapshot(
      `"Line 3, \`> bob asks node 1 for the lock\`: expected a client (alice), found bob."`
    )
    expect(refusal("> cluster 3", "> clients alice alice")).toMatchInlineSnapshot(
      `"Line 2, \`> clients alice alice\`: expected a new name, found alice, who is here already."`
    )
    expect(refusal("> cluster 3", "> node 1 prepares", "> clients alice")).toMatchInlineSnapshot(
      `"Line 3, \`> clients alice\`: expected clients with sessions before anything is prepared, found a story under way."`
    )
    expect(
      refusal("> cluster 3", "> bob opens a session at node 1", "> bob asks node 1 for the lock")
    ).toMatchInlineSnapshot(`"Line 3, \`> bob asks node 1 for the lock\`: expected bob to have a session, found none."`)
    expect(refusal("> cluster 3", "> deliver Accept")).toMatchInlineSnapshot(
      `"Line 2, \`> deliver Accept\`: expected such a message to be under way, found none at all."`
    )
    expect(refusal("> cluster 3", "> node 1 prepares", "> drop Accept")).toMatchInlineSnapshot(
      `"Line 3, \`> drop Accept\`: expected such a message to be under way, found Prepare 1.1 from 1 to 1."`
    )
  })

  it("refuses a statement that doesn't hold", () => {
    expect(refusal(...granted, "> expect bob holds the lock")).toMatchInlineSnapshot(
      `"Line 7, \`> expect bob holds the lock\`: expected bob to hold the lock, found alice at node 1, nobody at node 2, nobody at node 3."`
    )
    expect(refusal(...granted, "> expect alice holds the lock")).toMatchInlineSnapshot(
      `"Line 7, \`> expect alice holds the lock\`: expected alice to hold the lock, found alice at node 1, nobody at node 2, nobody at node 3."`
    )
    expect(refusal(...granted, "> expect alice was told no")).toMatchInlineSnapshot(
      `"Line 7, \`> expect alice was told no\`: expected alice to be told no, found yes."`
    )
    expect(refusal(...granted, "> expect bob was told yes")).toMatchInlineSnapshot(
      `"Line 7, \`> expect bob was told yes\`: expected bob to be told yes, found neither yes nor no."`
    )
    expect(refusal(...granted, "> expect slot 1 is decided for bob")).toMatchInlineSnapshot(
      `"Line 7, \`> expect slot 1 is decided for bob\`: expected slot 1 to be decided for bob, found alice."`
    )
    expect(refusal(...granted, "> expect slot 2 is decided for bob")).toMatchInlineSnapshot(
      `"Line 7, \`> expect slot 2 is decided for bob\`: expected slot 2 to be decided for bob, found nobody."`
    )
    expect(refusal(...granted, "> expect slot 1 is undecided")).toMatchInlineSnapshot(
      `"Line 7, \`> expect slot 1 is undecided\`: expected slot 1 to be undecided, found alice."`
    )
    expect(refusal(...granted, "> expect node 2 leads")).toMatchInlineSnapshot(
      `"Line 7, \`> expect node 2 leads\`: expected node 2 to lead, found node 1."`
    )
    expect(refusal(...granted, "> expect nobody leads")).toMatchInlineSnapshot(
      `"Line 7, \`> expect nobody leads\`: expected nobody to lead, found node 1."`
    )
    expect(refusal(...granted, "> expect node 2 refused 1.1")).toMatchInlineSnapshot(
      `"Line 7, \`> expect node 2 refused 1.1\`: expected node 2 to have refused 1.1, found no refusal."`
    )
    expect(refusal("> cluster 3", "> expect the lock was granted once")).toMatchInlineSnapshot(
      `"Line 2, \`> expect the lock was granted once\`: expected the lock to be granted once, found 0 times at node 1, 0 times at node 2, 0 times at node 3."`
    )
    expect(refusal("> cluster 3", "> expect 1.1 < 2.1 < 1.2")).toMatchInlineSnapshot(
      `"Line 2, \`> expect 1.1 < 2.1 < 1.2\`: expected each ballot to be above the one before it, found 1.1 <= 1.2 <= 2.1."`
    )
    expect(refusal("> cluster 3", "> expect 1.2 < 1.2")).toMatchInlineSnapshot(
      `"Line 2, \`> expect 1.2 < 1.2\`: expected each ballot to be above the one before it, found 1.2 <= 1.2."`
    )
    expect(refusal("> cluster 3", "> expect the cluster was refused")).toMatchInlineSnapshot(
      `"Line 2, \`> expect the cluster was refused\`: expected the cluster to be refused, found that it works."`
    )
  })

  it("refuses what is no matter of a log, or of a register, and statements on registers that don't hold", () => {
    const begun = ["> registers 3", "> alice proposes at node 1"]
    const written = [...begun, "> deliver Prepare Promise and Accept among 1"]
    expect(refusal("> registers 3", "> state")).toMatchInlineSnapshot(
      `"Line 2, \`> state\`: expected nodes with a log, such as those of \`cluster 5\`, found registers."`
    )
    expect(refusal("> cluster 3", "> alice reads at node 1")).toMatchInlineSnapshot(
      `"Line 2, \`> alice reads at node 1\`: expected registers, such as those of \`registers 3\`, found a cluster."`
    )
    expect(refusal("> registers 3", "> alice loses patience")).toMatchInlineSnapshot(
      `"Line 2, \`> alice loses patience\`: expected somebody who has asked, found alice."`
    )
    expect(refusal(...begun, "> alice tries again")).toMatchInlineSnapshot(
      `"Line 3, \`> alice tries again\`: expected alice to pause, found Preparing."`
    )
    expect(refusal(...begun, "> drop Accept")).toMatchInlineSnapshot(
      `"Line 3, \`> drop Accept\`: expected such a message to be under way, found Prepare 1.1 from 1 to 1; Prepare 1.1 from 1 to 2; Prepare 1.1 from 1 to 3."`
    )
    expect(refusal(...begun, "> expect alice learns alice")).toMatchInlineSnapshot(
      `"Line 3, \`> expect alice learns alice\`: expected alice to learn alice, found no answer."`
    )
    expect(refusal(...begun, "> deliver", "> expect alice learns bob")).toMatchInlineSnapshot(
      `"Line 4, \`> expect alice learns bob\`: expected alice to learn bob, found alice."`
    )
    expect(refusal(...begun, "> deliver", "> expect alice was answered after 2 message delays")).toMatchInlineSnapshot(
      `"Line 4, \`> expect alice was answered after 2 message delays\`: expected alice to be answered after 2 message delays, found 4 message delays."`
    )
    expect(refusal(...begun, "> deliver", "> expect the register is decided for bob")).toMatchInlineSnapshot(
      `"Line 4, \`> expect the register is decided for bob\`: expected the register to be decided for bob, found alice."`
    )
    expect(refusal(...begun, "> deliver", "> expect the register is decided at 1.2")).toMatchInlineSnapshot(
      `"Line 4, \`> expect the register is decided at 1.2\`: expected it to be decided at 1.2, found 1.1."`
    )
    expect(refusal(...begun, "> deliver", "> expect the register is undecided")).toMatchInlineSnapshot(
      `"Line 4, \`> expect the register is undecided\`: expected the register to be undecided, found alice."`
    )
    expect(refusal(...written, "> expect nothing can be decided at 1.1")).toMatchInlineSnapshot(
      `"Line 4, \`> expect nothing can be decided at 1.1\`: expected no ballot of these that could still decide, found 1.1."`
    )
  })

  it("refuses statements on epochs that don't hold, and changes that can't be", () => {
    expect(refusal("> cluster 3", "> expect nodes 1 2 and 3 vote in epoch 2")).toMatchInlineSnapshot(
      `"Line 2, \`> expect nodes 1 2 and 3 vote in epoch 2\`: expected all of 1, 2 and 3 to run, in epoch 2 of 1, 2 and 3, found node 1 in epoch 1 of 1, 2 and 3, node 2 in epoch 1 of 1, 2 and 3, node 3 in epoch 1 of 1, 2 and 3."`
    )
    expect(refusal("> cluster 3", "> node 2 joins")).toMatchInlineSnapshot(
      `"Line 2, \`> node 2 joins\`: expected a number that no node ever had, found node 2."`
    )
    expect(last("> cluster 3", "> node 1 is asked for voters 1 2")).toMatchInlineSnapshot(
      `"node 1 does not lead, and changes nothing"`
    )
    expect(last(...granted, "> node 1 is asked for voters 1 2 3")).toMatchInlineSnapshot(
      `"node 1 changes nothing: it is so already"`
    )
  })

  it("applies a request once however often it is delivered or sent", () => {
    const asked = granted.slice(0, -1)
    const twice = [...asked, "> repeat Accept", "> deliver", "> alice asks node 1 again", "> deliver"]
    expect(last(...twice, "> log")).toMatchInlineSnapshot(`
      "        node 1  node 2   node 3
      slot 1  alice   alice    alice
      slot 2  alice   (alice)  (alice)"
    `)
    assert.strictEqual(last(...twice, "> expect the lock was granted once"), "it holds")
  })

  it("keeps on disk what a node promised and accepted, and nothing else", () => {
    const story = [...granted, "> node 1 crashes", "> node 1 restarts"]
    expect(last(...story, "> state")).toMatchInlineSnapshot(`
      "        promised  accepted  log    chosen  applied  lock  proposer
      node 1  1.1       1.1       alice  0       0        free  Following
      node 2  1.1       1.1       alice  0       0        free  Following
      node 3  1.1       1.1       alice  0       0        free  Following"
    `)
  })

  it("loses what is sent to or by a node that is offline, and a client's request to it", () => {
    const story = ["> cluster 3", "> clients alice", "> node 1 prepares", "> node 1 goes offline"]
    expect(last(...story, "> deliver")).toMatchInlineSnapshot(`
      "node 1 promises 1.1, holding nothing
      node 1 is offline, and node 2 misses Prepare 1.1 from 1 to 2
      node 1 is offline, and node 3 misses Prepare 1.1 from 1 to 3"
    `)
    expect(last(...story, "> alice asks node 1 for the lock")).toMatchInlineSnapshot(`"alice can't reach node 1"`)
  })

  it("has its commands explained beside the transcripts", () => {
    const file = fileURLToPath(new URL("../../../test/transcripts/README.md", import.meta.url))
    const readme = readFileSync(file, "utf8")
    const missing = Transcript.patterns.filter((pattern) => !readme.includes(`\`${pattern}\``))
    assert.deepStrictEqual(missing, [])
  })
})
