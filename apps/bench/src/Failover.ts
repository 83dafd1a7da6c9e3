/**
 * `npm run bench -- --failover`: the leader's process is killed, again and again; how long until a command is answered.
 */
import { Clock, Console, Effect } from "effect"
import { median } from "./Report.js"
import type { Cluster } from "./synod/Synod.js"

export const run = (cluster: Cluster, times: number) =>
  Effect.gen(function* () {
    const put = cluster.remote.ask("put")
    const taken: Array<number> = []
    for (let n = 1; n <= times; n++) {
      yield* put
      const { node } = yield* cluster.leader
      const begun = yield* Clock.currentTimeMillis
      yield* cluster.kill(node)
      yield* put
      const milliseconds = (yield* Clock.currentTimeMillis) - begun
      taken.push(milliseconds)
      yield* Console.log(
        `  ${n}/${times}  node ${node} was killed; the next command was answered after ${milliseconds} ms`
      )
      yield* cluster.start(node)
      // It is to be back before the next one goes.
      yield* Effect.sleep("1 second")
    }
    yield* Console.log(`\nmedian ${median(taken)} ms, longest ${Math.max(...taken)} ms`)
  })
