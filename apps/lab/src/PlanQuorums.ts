/**
 * `plan-quorums`: what each quorum system is worth for members in these zones.
 */
import { Command, Options } from "@effect/cli"
import { NodeId, QuorumPlanner } from "@synod/paxos"
import { Console, Data, Effect, Either } from "effect"

/** An argument that makes no sense; said in one sentence. */
export class Unusable extends Data.TaggedError("Unusable")<{ readonly message: string }> {}

/** Members are numbered through, zone by zone. */
export interface Zone {
  readonly name: string
  readonly members: ReadonlyArray<NodeId.NodeId>
}

const options = {
  zones: Options.text("zones").pipe(
    Options.withDescription(
      "The zones and how many members are in each, as eu=2,us=2,ap=1; or one number for one zone."
    ),
    Options.withDefault("3")
  ),
  between: Options.text("between").pipe(
    Options.withDescription("Milliseconds from zone to zone and back, as eu-us=80,eu-ap=160,us-ap=120."),
    Options.withDefault("")
  ),
  within: Options.float("within").pipe(
    Options.withDescription("Milliseconds from member to member of one zone and back."),
    Options.withDefault(1)
  ),
  failure: Options.float("failure").pipe(
    Options.withDescription("How likely it is that a member is down at some moment, from 0 to 1."),
    Options.withDefault(0.01)
  )
}

export const command = Command.make("plan-quorums", options, (given) =>
  Effect.gen(function* () {
    const zones = yield* parseZones(given.zones)
    const place = yield* placeOf(zones, given)
    yield* Console.log(table(zones, QuorumPlanner.compare(place)))
  })
).pipe(Command.withDescription("Compares quorum systems: what they survive, and how fast they are from where."))

/** `eu=2,us=1` or `5`. */
export const parseZones = (text: string): Either.Either<ReadonlyArray<Zone>, Unusable> =>
  Either.gen(function* () {
    const zones: Array<Zone> = []
    let last = 0
    for (const part of text.split(",")) {
      const [, name = "all", count] = /^(?:([A-Za-z][\w.]*)=)?(\d{1,3})$/.exec(part.trim()) ?? []
      if (count === undefined || count === "0") {
        return yield* refuse(`--zones names zones and their members, as eu=2,us=2,ap=1, and "${part}" is none`)
      }
      if (zones.some((zone) => zone.name === name)) return yield* refuse(`--zones names "${name}" twice`)
      const members = Array.from({ length: Number(count) }, () => NodeId.make(++last))
      zones.push({ name, members })
    }
    if (last > QuorumPlanner.most)
      return yield* refuse(`${last} members are more than the ${QuorumPlanner.most} that can be planned for`)
    return zones
  })

/** Where the members of these zones are. */
export const placeOf = (
  zones: ReadonlyArray<Zone>,
  given: { readonly between: string; readonly within: number; readonly failure: number }
): Either.Either<QuorumPlanner.Place, Unusable> =>
  Either.gen(function* () {
    const { failure, within } = given
    if (!(failure >= 0 && failure < 1)) return yield* refuse("--failure is a likelihood, from 0 to less than 1")
    if (!(within >= 0)) return yield* refuse("--within is a time in milliseconds, from 0 up")
    const known = new Set(zones.map(({ name }) => name))
    const times = new Map<string, number>()
    for (const part of given.between.split(",").filter((part) => part.trim() !== "")) {
      const [, a, b, time] = /^([A-Za-z][\w.]*)-([A-Za-z][\w.]*)=(\d+(?:\.\d+)?)$/.exec(part.trim()) ?? []
      if (a === undefined || b === undefined) {
        return yield* refuse(`--between names pairs of zones and milliseconds, as eu-us=80, and "${part}" is none`)
      }
      const stranger = [a, b].find((name) => !known.has(name))
      if (stranger !== undefined) return yield* refuse(`--between names the zone "${stranger}", and --zones does not`)
      times.set(`${a} ${b}`, Number(time)).set(`${b} ${a}`, Number(time))
    }
    for (const a of zones) {
      for (const b of zones) {
        if (a === b || times.has(`${a.name} ${b.name}`)) continue
        return yield* refuse(`--between lacks the time from ${a.name} to ${b.name}, as ${a.name}-${b.name}=80`)
      }
    }
    const zoneOf = new Map(zones.flatMap(({ members, name }) => members.map((node) => [node, name] as const)))
    return {
      zones: zones.map(({ members }) => members),
      failure: () => failure,
      roundTrip: (from, to) => times.get(`${zoneOf.get(from)} ${zoneOf.get(to)}`) ?? within
    }
  })

const refuse = (message: string) => Either.left(new Unusable({ message }))

/** One line a system and run of rounds. */
export const table = (zones: ReadonlyArray<Zone>, plans: ReadonlyArray<QuorumPlanner.Plan>): string => {
  const zoneOf = (node: NodeId.NodeId) => zones.find(({ members }) => members.includes(node))?.name ?? "?"
  const head = [
    "system",
    "rounds",
    "elections survive",
    "commands survive",
    "down",
    "leader",
    ...(zones.length === 1 ? [] : zones.map(({ name }) => `ms from ${name}`)),
    "mean ms"
  ]
  const rows = plans.map(({ accept, availability, commit, leader, mean, prepare, rounds, system }) => [
    system,
    rounds.through === undefined ? `${rounds.from} on` : `${rounds.from} to ${rounds.through}`,
    String(prepare.tolerates),
    String(accept.tolerates),
    downtime(1 - availability),
    leader === undefined ? "each" : `${leader} (${zoneOf(leader)})`,
    ...(zones.length === 1 ? [] : zones).map(({ members }) =>
      (members.reduce((sum, node) => sum + commit.get(node)!, 0) / members.length).toFixed(1)
    ),
    mean.toFixed(1)
  ])
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)))
  const line = (cells: ReadonlyArray<string>) =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join("  ")
  return [line(head), ...rows.map(line), "", legend].join("\n")
}

const legend = `survive: how many members may be down, whichever they are. down: for how long one of the two can't be done.
ms: until a command of a client there is decided, messages alone, while the leader and a quorum are up.`

/** A share of the time, as so much of a year. */
const downtime = (share: number): string => {
  const seconds = share * 365.25 * 86_400
  const [unit, name] = (
    [
      [86_400, "d"],
      [3_600, "h"],
      [60, "min"],
      [1, "s"]
    ] as const
  ).find(([unit]) => seconds >= unit) ?? [1, "s"]
  return `${(seconds / unit).toFixed(1)} ${name}/year`
}
