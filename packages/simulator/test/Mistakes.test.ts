/**
 * Machines that break the rules, as users might write them: each is caught, and its author told how to mend it.
 */
import { Rpc } from "@effect/rpc"
import { type Clients, Model, Registers, Run } from "@synod/simulator"
import { StateMachine } from "@synod/state-machine"
import { Effect, Schema } from "effect"
import { expect, it } from "vitest"

const Add = Rpc.make("Add", { payload: { amount: Schema.Int }, success: Schema.Number })

type Handler = (
  state: ReadonlyArray<number>,
  payload: { readonly amount: number }
) => Effect.Effect<readonly [number, ReadonlyArray<number>]>

const found = (
  add: Handler,
  options: { readonly state?: Schema.Schema<ReadonlyArray<number>, ReadonlyArray<number>> } = {}
) => {
  const machine = StateMachine.make("Sums", {
    version: 1,
    state: options.state ?? Schema.Array(Schema.Number),
    initial: [],
    commands: [Add],
    queries: []
  })
  const workload: Clients.Workload<typeof Add, never> = (client, { seeded }) =>
    client.Add({ amount: 1 + seeded.below(9) })
  const layer = machine.toLayer({ Add: add })
  return Run.run(machine, { layer, workload, seed: 1, faults: {}, model: "none", chaos: 5 }).violation
}

/* eslint-disable no-restricted-globals, no-restricted-properties -- what handlers must not do is what is tested here */
/** @effect-diagnostics globalDate:off globalRandom:off globalTimers:off globalDateInEffect:off */
const now = () => Date.now()
const append = (state: ReadonlyArray<number>, amount: number) => [amount, [...state, amount]] as const

it("lets a machine pass that keeps to them", () => {
  expect(found((state, { amount }) => Effect.succeed(append(state, amount)))).toBeUndefined()
})

it("knows a handler that reads the machine's clock, and says where", () => {
  const violation = found((state) => Effect.sync(() => append(state, now())))
  expect(violation?.property).toBe("no way out")
  expect(violation?.sentence).toMatch(
    /^Date\.now was called at .*Mistakes\.test\.ts.*: take the time from Effect's Clock$/
  )
})

it.each([
  ["new Date()", () => new Date().getTime(), "take the time from Effect's Clock"],
  ["Math.random", () => Math.random(), "take chance from Effect's Random"],
  ["crypto.randomUUID", () => crypto.randomUUID().length, "take chance from Effect's Random"],
  ["performance.now", () => performance.now(), "take the time from Effect's Clock"],
  ["setTimeout", () => Number(setTimeout(() => undefined, 0)), "wait with Effect.sleep"],
  ["a promise's then", () => Number(Promise.resolve(1).then()), "a simulated world has no event loop"]
])("knows a handler that calls %s", (what, call, instead) => {
  const violation = found((state) => Effect.sync(() => append(state, call())))
  expect(violation?.sentence).toContain(`${what} was called at`)
  expect(violation?.sentence).toContain(instead)
})

it("knows a handler that keeps something outside of the state", () => {
  let calls = 0
  const violation = found((state, { amount }) => Effect.sync(() => append(state, amount + calls++)))
  expect(violation?.property).toBe("deterministic")
  expect(violation?.sentence).toMatch(/gives two results when it is applied twice: a handler may depend on the state/)
})

it("knows a handler that changes the state it is given", () => {
  const violation = found((state, { amount }) =>
    Effect.sync(() => {
      ;(state as Array<number>).push(amount)
      return [amount, state] as const
    })
  )
  expect(violation?.property).toBe("handlers leave the state alone")
  expect(violation?.sentence).toContain("give back a new one instead")
})

it("knows a schema that loses part of the state", () => {
  const rounded = Schema.transform(Schema.Array(Schema.Number), Schema.Array(Schema.Number), {
    decode: (numbers) => numbers,
    encode: (numbers) => numbers.slice(0, 3)
  })
  const violation = found((state, { amount }) => Effect.succeed(append(state, amount)), { state: rounded })
  expect(violation?.property).toBe("snapshots are whole")
})

it("knows a query that lies, and draws the calls that have no order", () => {
  const { Registers: machine, handlers, layer, workload } = Registers
  const lying = machine.toLayer({
    ...handlers,
    Read: (state, { name }) =>
      Effect.map(handlers.Read(state, { name }), (value) => (value === null || value < 5 ? value : value + 1))
  })
  const model = Model.ofMachine(machine, Effect.runSync(Effect.provide(machine.executor, layer)))
  const { violation } = Run.run(machine, { layer: lying, workload, model, seed: 1, faults: {}, chaos: 4 })
  expect(violation?.property).toBe("linearizable")
  expect(violation?.message).toMatch(/client \d(\.\d)? was answered: /)
  expect(violation?.picture?.text).toContain("►")
  expect(/^<!doctype html>/i.test(violation?.picture?.html ?? "")).toBe(true)
})
