/** A process of the bare pipeline: a follower, the leader, or a client of it. */
import { Schema } from "effect"
import { Load } from "../Load.js"
import * as Callers from "../Callers.js"
import * as Worker from "../Worker.js"
import * as Follower from "./Follower.js"
import * as Frames from "./Frames.js"
import * as Leader from "./Leader.js"
import { Settings } from "./Settings.js"

const settings = Schema.decodeUnknownSync(Settings)(Worker.settings())
const load = Schema.decodeUnknownSync(Load)

switch (settings.role) {
  case "follower": {
    const port = Follower.listen(settings.file)
    Worker.serve({ port: () => port })
    break
  }
  case "leader": {
    const leader = Leader.lead(settings.file, settings.followers)
    Worker.serve({
      port: async () => (await leader).port,
      measure: async (argument) => measure(argument, (await leader).propose)
    })
    break
  }
  case "client": {
    const propose = client(settings.leader)
    Worker.serve({ measure: async (argument) => measure(argument, await propose) })
    break
  }
}

/** As many bytes as the key and the value that other systems are sent. */
function measure(argument: unknown, propose: Leader.Leader["propose"]) {
  const command = Buffer.alloc(100, "v")
  return Callers.run(load(argument), (done) => propose(command, () => done()))
}

async function client(leader: number): Promise<Leader.Leader["propose"]> {
  const socket = await Leader.connect(leader)
  const send = Frames.sender(socket)
  const waiting = new Map<number, () => void>()
  let next = 0
  Frames.receive(socket, (frames) => {
    for (const { number } of frames) {
      const done = waiting.get(number)
      waiting.delete(number)
      done?.()
    }
  })
  return (command, done) => {
    waiting.set(next, done)
    send(Frames.encode(1, next++, command))
  }
}
