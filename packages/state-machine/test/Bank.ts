import { Rpc } from "@effect/rpc"
import { StateMachine } from "@synod/state-machine"
import { Effect, HashMap, Schema } from "effect"

export const AccountId = Schema.String.pipe(Schema.brand("AccountId"))
export type AccountId = typeof AccountId.Type
export const Amount = Schema.Int.pipe(Schema.nonNegative())

export class AccountNotFound extends Schema.TaggedError<AccountNotFound>()("AccountNotFound", {
  account: AccountId
}) {}

export class InsufficientFunds extends Schema.TaggedError<InsufficientFunds>()("InsufficientFunds", {
  account: AccountId,
  balance: Amount
}) {}

const Open = Rpc.make("Open", { payload: { account: AccountId, amount: Amount } })

const Transfer = Rpc.make("Transfer", {
  payload: { from: AccountId, to: AccountId, amount: Amount },
  error: Schema.Union(AccountNotFound, InsufficientFunds)
})

const Balance = Rpc.make("Balance", { payload: { account: AccountId }, success: Amount, error: AccountNotFound })

/** The machine of DESIGN 1, with accounts that can be opened. */
export const Bank = StateMachine.make("Bank", {
  version: 1,
  state: Schema.HashMap({ key: AccountId, value: Amount }),
  initial: HashMap.empty(),
  commands: [Open, Transfer],
  queries: [Balance]
})

export type State = StateMachine.State<typeof Bank>

const balanceOf = (state: State, account: AccountId) =>
  HashMap.get(state, account).pipe(Effect.mapError(() => new AccountNotFound({ account })))

export const BankLive = Bank.toLayer({
  Open: (state, { account, amount }) => Effect.succeed([undefined, HashMap.set(state, account, amount)]),
  Transfer: (state, { amount, from, to }) =>
    Effect.gen(function* () {
      const source = yield* balanceOf(state, from)
      const target = yield* balanceOf(state, to)
      if (source < amount) return yield* new InsufficientFunds({ account: from, balance: source })
      return [undefined, state.pipe(HashMap.set(from, source - amount), HashMap.set(to, target + amount))]
    }),
  Balance: (state, { account }) => balanceOf(state, account)
})

export const alice = AccountId.make("alice")
export const bob = AccountId.make("bob")
