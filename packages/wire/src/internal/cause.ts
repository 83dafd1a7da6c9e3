/**
 * What another process is told of a failure: all of it, but for who was interrupted by whom. Ids of fibers mean nothing there, and
 * count up with all else that runs in this process, so that what is sent would depend on it.
 */
import type { FromServerEncoded } from "@effect/rpc/RpcMessage"

/** @internal */
export type CauseEncoded = Extract<
  Extract<FromServerEncoded, { readonly _tag: "Exit" }>["exit"],
  { readonly _tag: "Failure" }
>["cause"]

const interrupt: CauseEncoded = { _tag: "Interrupt", fiberId: { _tag: "None" } }

/** @internal */
export const withoutFibers = (cause: CauseEncoded): CauseEncoded => {
  switch (cause._tag) {
    case "Interrupt":
      return interrupt
    case "Parallel":
    case "Sequential": {
      const left = withoutFibers(cause.left)
      const right = withoutFibers(cause.right)
      if (left._tag === "Empty" || left === right) return right
      return right._tag === "Empty" ? left : { _tag: cause._tag, left, right }
    }
    default:
      return cause
  }
}
