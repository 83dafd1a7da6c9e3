/**
 * Messages as a person reads them in a trace: one short line each.
 */
import type { FromClientEncoded } from "@effect/rpc/RpcMessage"
import type { Message } from "@synod/wire"

/** @internal */
export const fromClient = (message: FromClientEncoded): string => {
  switch (message._tag) {
    case "Request":
      return untagged(message.payload, message.tag)
    default:
      return message._tag
  }
}

/** @internal */
export const fromServer = (message: Message.FromServer): string => {
  switch (message._tag) {
    case "Exit":
      return message.exit._tag === "Success" ? value(message.exit.value, 0) : `failed ${value(message.exit.cause, 0)}`
    default:
      return message._tag
  }
}

/** A payload is called like its request. */
const untagged = (payload: unknown, tag: string): string => {
  const text = value(payload, 0)
  return text.startsWith(`${tag} `) ? text : `${tag} ${text}`
}

const longest = 200
const deepest = 4

/** JSON without quotes; bytes by their number, ballots as `round.node`. */
const value = (it: unknown, depth: number): string => {
  if (it instanceof Uint8Array) return `<${it.length} bytes>`
  if (typeof it !== "object" || it === null) return String(it)
  if (depth >= deepest) return "…"
  if (Array.isArray(it)) return `[${it.map((one) => value(one, depth + 1)).join(", ")}]`
  const entries = Object.entries(it)
  if (entries.length === 2 && "round" in it && "node" in it) return `${String(it.round)}.${String(it.node)}`
  const { _tag: tag, ...rest } = it as Record<string, unknown>
  const fields = Object.entries(rest).map(([name, one]) => `${name} ${value(one, depth + 1)}`)
  const text = `${tag === undefined ? "" : `${String(tag)} `}{${fields.join(", ")}}`
  return depth === 0 && text.length > longest ? `${text.slice(0, longest)}…` : text
}
