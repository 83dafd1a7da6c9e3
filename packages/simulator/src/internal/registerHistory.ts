/**
 * What clients asked of a register and were told, as part of a model's state: who had finished what when an operation
 * began is kept, the order among operations that overlap is not.
 */
interface Operation {
  /** The value written; null for a read. */
  readonly write: string | null
  /** How many operations of each client had returned when this one began. */
  readonly after: ReadonlyArray<number>
  /** What a read returned; null for a write, and while it is under way. */
  readonly read: string | null
}

interface Client {
  readonly returned: ReadonlyArray<Operation>
  readonly pending: Operation | null
}

export type History = ReadonlyArray<Client>

export const empty = (clients: number): History =>
  Array.from({ length: clients }, () => ({ returned: [], pending: null }))

/** A write of `value`, or a read. */
export const invoked = (self: History, client: number, value: string | undefined): History => {
  const after = self.map(({ returned }) => returned.length)
  return self.with(client, { ...self[client]!, pending: { write: value ?? null, after, read: null } })
}

/** What was pending came back, a read with `value`. */
export const returned = (self: History, client: number, value: string | undefined): History => {
  const { pending, returned } = self[client]!
  if (pending === null) return self
  return self.with(client, { returned: [...returned, { ...pending, read: value ?? null }], pending: null })
}

/** Is there an order of all that returned, and of some of what is pending, in which a register would answer the same? */
export const isLinearizable = (self: History): boolean =>
  continues(
    self,
    self.map(() => 0),
    null
  )

/** `done` operations of each client are in the order already, and the register holds `value`. */
const continues = (self: History, done: ReadonlyArray<number>, value: string | null): boolean =>
  self.every(({ returned }, client) => done[client]! >= returned.length) ||
  self.some(({ pending, returned }, client) => {
    const at = done[client]!
    const operation = returned[at] ?? (at === returned.length ? pending : null)
    if (operation === null) return false
    if (operation.after.some((before, other) => done[other]! < before)) return false
    if (operation.write === null && at < returned.length && operation.read !== value) return false
    return continues(self, done.with(client, at + 1), operation.write ?? value)
  })
