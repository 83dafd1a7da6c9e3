/**
 * The model that calibrates the checker: single-decree Paxos as a register, with the semantics that Stateright's example
 * of it has, so that its numbers of distinct states must come out here too.
 *
 * ```
 *  client          server (leader)                servers
 *    │ ── Put ──────► │ ── Prepare ─────────────────► │
 *    │                │ ◄─ Prepared ───────────────── │
 *    │                │ ── Accept ──────────────────► │
 *    │                │ ◄─ Accepted ───────────────── │
 *    │ ◄─ PutOk ───── │ ── Decided ─────────────────► │
 *    │ ── Get ──────────────────────────────────────► │
 *    │ ◄─ GetOk ───────────────────────────────────── │
 * ```
 *
 * Messages may overtake each other and may wait forever; none is repeated. One that its receiver has no use for stays under
 * way. A state includes what the clients have seen, in order, which is judged against a register. It is a yardstick for
 * the search only: our own protocol is {@link CoreModel}.
 *
 * @since 0.1.0
 */
import * as History from "./internal/registerHistory.js"
import * as ModelCheck from "./ModelCheck.js"

type Ballot = readonly [round: number, server: number]
type Proposal = readonly [request: number, client: number, value: string]
type Accepted = readonly [ballot: Ballot, proposal: Proposal] | null

type Body =
  | { readonly _tag: "Put"; readonly request: number; readonly value: string }
  | { readonly _tag: "Get"; readonly request: number }
  | { readonly _tag: "PutOk"; readonly request: number }
  | { readonly _tag: "GetOk"; readonly request: number; readonly value: string }
  | { readonly _tag: "Prepare"; readonly ballot: Ballot }
  | { readonly _tag: "Prepared"; readonly ballot: Ballot; readonly last: Accepted }
  | { readonly _tag: "Accept"; readonly ballot: Ballot; readonly proposal: Proposal }
  | { readonly _tag: "Accepted"; readonly ballot: Ballot }
  | { readonly _tag: "Decided"; readonly ballot: Ballot; readonly proposal: Proposal }

interface Envelope {
  readonly from: number
  readonly to: number
  readonly body: Body
}

interface Server {
  readonly ballot: Ballot
  readonly proposal: Proposal | null
  /** What each server that prepared had accepted, by server; null for those that did not. */
  readonly prepares: ReadonlyArray<readonly [server: number, last: Accepted]>
  readonly accepts: ReadonlyArray<number>
  readonly accepted: Accepted
  readonly decided: boolean
}

interface Client {
  readonly awaiting: number | null
  readonly operations: number
}

/**
 * @since 0.1.0
 * @category models
 */
export interface State {
  readonly servers: ReadonlyArray<Server>
  readonly clients: ReadonlyArray<Client>
  /** Messages under way, sorted, the same one as often as it was sent. */
  readonly network: ReadonlyArray<string>
  readonly history: History.History
}

/**
 * A message that arrives, as it is written in {@link State}'s network.
 *
 * @since 0.1.0
 * @category models
 */
export type Action = string

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  readonly servers: number
  /** Each puts one value of its own, then gets. */
  readonly clients: number
}

/**
 * Three servers: 265 distinct states with one client, 16,668 with two.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options): ModelCheck.Model<State, Action> => ({
  name: `single-decree Paxos, ${options.servers} servers, ${options.clients} ${options.clients === 1 ? "client" : "clients"}`,
  initial: [initial(options)],
  actions: ({ network }) => network.filter((message, i) => message !== network[i - 1]),
  next: (state, action) => deliver(state, action, options),
  ...ModelCheck.interned(JSON.stringify),
  properties: [
    { kind: "Always", name: "what the clients see is what one register could do", holds: linearizable },
    { kind: "Sometimes", name: "a value is chosen and read", holds: isRead }
  ],
  describeAction: (_before, action) => {
    const { body, from, to } = parse(action)
    const { _tag, ...fields } = body
    return `${from} → ${to}: ${_tag} ${JSON.stringify(fields)}`
  },
  describeState: ({ clients, servers }) => [
    ...servers.map((server, i) => `server ${i}: ${JSON.stringify(server)}`),
    ...clients.map((client, i) => `client ${servers.length + i}: ${JSON.stringify(client)}`)
  ]
})

const linearizable = ({ history }: State): boolean => History.isLinearizable(history)

const isRead = ({ network }: State): boolean => network.some((message) => parse(message).body._tag === "GetOk")

const parse = (message: string): Envelope => JSON.parse(message) as Envelope

/** What one actor does with one message; `undefined` if it has no use for it. */
interface Outcome<Actor> {
  readonly actor: Actor
  readonly sends: ReadonlyArray<readonly [to: number, body: Body]>
}

const initial = (options: Options): State => {
  const server: Server = {
    ballot: [0, 0],
    proposal: null,
    prepares: [],
    accepts: [],
    accepted: null,
    decided: false
  }
  const empty: State = {
    servers: Array.from({ length: options.servers }, () => server),
    clients: Array.from({ length: options.clients }, (_, i) => ({ awaiting: options.servers + i, operations: 1 })),
    network: [],
    history: History.empty(options.clients)
  }
  return empty.clients.reduce((state, _, i) => {
    const id = options.servers + i
    const put: Body = { _tag: "Put", request: id, value: String.fromCharCode(65 + i) }
    return send(state, id, [[id % options.servers, put]], options)
  }, empty)
}

const deliver = (state: State, message: string, options: Options): State | undefined => {
  const { body, from, to } = parse(message)
  const network = [...state.network]
  network.splice(network.indexOf(message), 1)
  if (to < options.servers) {
    const done = serve(state.servers[to]!, to, from, body, options)
    if (done === undefined) return undefined
    const servers = state.servers.with(to, done.actor)
    return send({ ...state, servers, network }, to, done.sends, options)
  }
  const done = hear(state.clients[to - options.servers]!, to, body, options)
  if (done === undefined) return undefined
  const clients = state.clients.with(to - options.servers, done.actor)
  const history = History.returned(state.history, to - options.servers, body._tag === "GetOk" ? body.value : undefined)
  return send({ ...state, clients, network, history }, to, done.sends, options)
}

const send = (state: State, from: number, sends: Outcome<never>["sends"], options: Options): State => {
  let { history } = state
  const network = [...state.network]
  for (const [to, body] of sends) {
    network.push(JSON.stringify({ from, to, body }))
    if (body._tag === "Put") history = History.invoked(history, from - options.servers, body.value)
    if (body._tag === "Get") history = History.invoked(history, from - options.servers, undefined)
  }
  return { ...state, network: network.sort(), history }
}

const serve = (
  self: Server,
  id: number,
  from: number,
  body: Body,
  { servers }: Options
): Outcome<Server> | undefined => {
  const peers = Array.from({ length: servers }, (_, i) => i).filter((server) => server !== id)
  const majority = Math.floor(servers / 2) + 1
  const { accepted, ballot } = self
  const all = (message: Body) => peers.map((peer) => [peer, message] as const)
  if (self.decided) {
    return body._tag === "Get" && accepted !== null
      ? { actor: self, sends: [[from, { _tag: "GetOk", request: body.request, value: accepted[1][2] }]] }
      : undefined
  }
  switch (body._tag) {
    case "Put": {
      if (self.proposal !== null) return undefined
      const mine: Ballot = [ballot[0] + 1, id]
      return {
        actor: {
          ...self,
          ballot: mine,
          proposal: [body.request, from, body.value],
          prepares: [[id, accepted]],
          accepts: []
        },
        sends: all({ _tag: "Prepare", ballot: mine })
      }
    }
    case "Prepare":
      return order(ballot, body.ballot) < 0
        ? {
            actor: { ...self, ballot: body.ballot },
            sends: [[from, { _tag: "Prepared", ballot: body.ballot, last: accepted }]]
          }
        : undefined
    case "Prepared": {
      if (order(ballot, body.ballot) !== 0) return undefined
      const prepares = [...self.prepares.filter(([server]) => server !== from), [from, body.last] as const].sort(
        ([a], [b]) => a - b
      )
      if (prepares.length !== majority) return { actor: { ...self, prepares }, sends: [] }
      const proposal = latest(prepares.map(([, last]) => last)) ?? self.proposal!
      return {
        actor: { ...self, prepares, proposal, accepted: [ballot, proposal], accepts: insert(self.accepts, id) },
        sends: all({ _tag: "Accept", ballot, proposal })
      }
    }
    case "Accept":
      return order(ballot, body.ballot) <= 0
        ? {
            actor: { ...self, ballot: body.ballot, accepted: [body.ballot, body.proposal] },
            sends: [[from, { _tag: "Accepted", ballot: body.ballot }]]
          }
        : undefined
    case "Accepted": {
      if (order(ballot, body.ballot) !== 0) return undefined
      const accepts = insert(self.accepts, from)
      if (accepts.length !== majority) return { actor: { ...self, accepts }, sends: [] }
      const proposal = self.proposal!
      const [request, client] = proposal
      return {
        actor: { ...self, accepts, decided: true },
        sends: [...all({ _tag: "Decided", ballot, proposal }), [client, { _tag: "PutOk", request }]]
      }
    }
    case "Decided":
      return {
        actor: { ...self, ballot: body.ballot, accepted: [body.ballot, body.proposal], decided: true },
        sends: []
      }
    default:
      return undefined
  }
}

const hear = (self: Client, id: number, body: Body, { servers }: Options): Outcome<Client> | undefined => {
  if (!("request" in body) || body.request !== self.awaiting) return undefined
  const operations = self.operations + 1
  switch (body._tag) {
    case "PutOk": {
      const request = operations * id
      return {
        actor: { awaiting: request, operations },
        sends: [[(id + self.operations) % servers, { _tag: "Get", request }]]
      }
    }
    case "GetOk":
      return { actor: { awaiting: null, operations }, sends: [] }
    default:
      return undefined
  }
}

const order = (a: Ballot, b: Ballot): number => a[0] - b[0] || a[1] - b[1]

const insert = (ids: ReadonlyArray<number>, id: number): ReadonlyArray<number> =>
  ids.includes(id) ? ids : [...ids, id].sort((a, b) => a - b)

/** The proposal accepted at the highest ballot, if any was accepted. */
const latest = (accepted: ReadonlyArray<Accepted>): Proposal | undefined =>
  accepted.reduce(
    (best, next) => (next !== null && (best === null || order(best[0], next[0]) < 0) ? next : best),
    null
  )?.[1]
