import { assert, describe, it } from "@effect/vitest"
import type { Message, NodeId } from "@synod/paxos"
import { Ballot } from "@synod/paxos"
import { Peers } from "@synod/replica"
import { Effect, Fiber, Mailbox, TestClock } from "effect"
import type { Body } from "../src/Message.js"
import * as Network from "../src/Network.js"

/** A node, and the bodies that it has sent. */
const node = (self: string, names: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const sent = yield* Mailbox.make<Body>()
    const send = (_dest: string, body: Body) => Effect.asVoid(sent.offer(body))
    return { ...(yield* Network.make({ self, names, maxFrameBytes: 100_000, send })), sent }
  })

/** n1, which has asked for a heartbeat, and n2, which has answered. */
const asked = Effect.gen(function* () {
  const names = ["n2", "n1"]
  const n1 = yield* node("n1", names)
  const n2 = yield* node("n2", names)
  yield* n2.peers.serve(replica(n2.peers.self))
  const asking = yield* Effect.fork(
    n1.peers.peer(n2.peers.self).heartbeat({ from: n1.peers.self, epoch: 1 }, { _tag: "Heartbeat", round: 7 })
  )
  yield* n2.receive("n1", yield* n1.sent.take)
  return { n1, n2, asking, reply: yield* n2.sent.take }
})

describe("Network", () => {
  it.scoped("carries a request and its reply", () =>
    Effect.gen(function* () {
      const { asking, n1, n2, reply } = yield* asked
      assert.strictEqual(`${n1.peers.self} ${n2.peers.self}`, "1 2", "numbered by name")
      yield* n1.receive("n2", reply)
      assert.deepInclude(yield* Fiber.join(asking), { round: 7, from: n2.peers.self })
    })
  )

  it.scoped("drops a reply to an earlier start of the node", () =>
    Effect.gen(function* () {
      const { asking, n1, reply } = yield* asked
      yield* n1.receive("n2", { ...reply, start: "another" })
      // Whatever is to be done at this instant is done before an instant passes.
      yield* TestClock.adjust("1 millis")
      assert.isNull(asking.unsafePoll())
      yield* n1.receive("n2", reply)
      assert.deepInclude(yield* Fiber.join(asking), { round: 7 })
    })
  )

  it.scoped("refuses what is no frame, in a sentence", () =>
    Effect.gen(function* () {
      const { n1, reply } = yield* asked
      const refused = (src: string, body: object) => Effect.flip(n1.receive(src, { type: "synod", ...body }))
      const frame = Buffer.from(String(reply["frame"]), "base64")
      const flipped = Buffer.from(frame)
      flipped[frame.length - 1]! ^= 1
      assert.strictEqual(yield* refused("n3", reply), "n3 is no other node of the cluster")
      assert.strictEqual(yield* refused("n2", {}), "a frame has a side and a start")
      assert.strictEqual(
        yield* refused("n2", { ...reply, frame: frame.subarray(0, 20).toString("base64") }),
        "a frame is incomplete"
      )
      assert.match(yield* refused("n2", { ...reply, frame: flipped.toString("base64") }), /checksum/)
      assert.match(yield* refused("n2", { ...reply, side: "server" }), /no message of a client/)
    })
  )
})

// Fixtures

const replica = (self: NodeId.NodeId): Peers.Peer => ({
  ...Peers.unreachable("nobody is here"),
  heartbeat: (_sent, { round }) =>
    Effect.succeed<Message.HeartbeatReply>({
      _tag: "HeartbeatReply",
      round,
      from: self,
      claim: Ballot.zero,
      leading: false,
      leader: Ballot.zero,
      happy: false,
      connected: false
    })
})
