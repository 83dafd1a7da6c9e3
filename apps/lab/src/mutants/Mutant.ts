/** What a mutant is: a bug that implementations have really had, as a small change to our own code. */
import type { Fault } from "@synod/simulator"

export interface Mutant {
  /** As it is called on the command line. */
  readonly name: string
  /** What goes wrong, and where it was seen; or, where the product lacks the part, what stands for it here. */
  readonly bug: string
  readonly edits: ReadonlyArray<Edit>
  /** The tier whose checkers catch it; of `processes`, seeds are cycles of `chaos`. */
  readonly tier: "core" | "register" | "world" | "processes"
  /** Voters. Default: 3. */
  readonly replicas?: number
  /** Faults beyond what the protocol promises to survive: only safety must hold. Default: false. */
  readonly harsh?: boolean
  /** Faults that show it, if those of the tier would need too many seeds. */
  readonly rates?: Fault.Rates
}

export interface Edit {
  /** From the root of the repository. */
  readonly file: string
  /** Stands in the file once. */
  readonly find: string
  readonly replace: string
}
