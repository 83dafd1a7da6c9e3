/** A client as a process of its own: many callers, one session. */
import { NodeRuntime } from "@effect/platform-node"
import { Client, type ClientConfig, Endpoint } from "@synod/client"
import { Seeded } from "@synod/simulator"
import { Effect, Runtime, Schema } from "effect"
import * as Callers from "./Callers.js"
import * as Child from "./Child.js"
import * as Diary from "./Diary.js"
import { ClientSettings, cluster } from "./Settings.js"
import { Texts } from "./Texts.js"

const { file, members, name, nearest, seed } = Schema.decodeUnknownSync(Schema.parseJson(ClientSettings))(
  process.argv[2]
)

/** Some calls end with an unknown outcome while a replica is away, others wait until it is back. */
const patience: Partial<ClientConfig.ClientConfig> = name.endsWith("1")
  ? {}
  : { deadline: "1500 millis", attempt: "400 millis" }

Effect.gen(function* () {
  const nodes = Object.keys(members).map(Number)
  // The nearest comes first.
  const order = [...nodes.filter((node) => node === nearest), ...nodes.filter((node) => node !== nearest)]
  const endpoints = yield* Effect.forEach(order, (node) =>
    Effect.map(Endpoint.tcp({ ...members[node]!, cluster }), (endpoint) => [node, endpoint] as const)
  )
  const reads = name.endsWith("1") ? "leader" : "nearest"
  const client = (config: Partial<ClientConfig.ClientConfig>) =>
    Effect.flatMap(Client.make(new Map(endpoints), config), (caller) =>
      Effect.provideService(Texts.client, Texts.caller, caller)
    )
  const api = yield* client({ ...patience, reads })
  // Whether a command is answered at all is not to be a matter of patience.
  const patient = yield* client({})
  const diary = Diary.make(file, `${name}.${process.pid}`)
  const callers = yield* Callers.make(
    { api, patient },
    {
      name: `${name}.${process.pid}`,
      diary,
      seeded: Seeded.make(seed, name)
    }
  )
  const runPromise = Runtime.runPromise(yield* Effect.runtime<never>())
  Child.serve({
    begin: (cycle: number) => runPromise(callers.begin(cycle)),
    end: () => runPromise(callers.end),
    probe: () => runPromise(callers.probe)
  })
  return yield* Effect.never
}).pipe(Effect.scoped, NodeRuntime.runMain)
