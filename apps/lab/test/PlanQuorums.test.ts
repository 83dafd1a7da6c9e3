import { QuorumPlanner } from "@synod/paxos"
import { Either } from "effect"
import { assert, describe, it } from "vitest"
import { parseZones, placeOf, table } from "../src/PlanQuorums.js"

const refused = (either: Either.Either<unknown, { readonly message: string }>) =>
  Either.getOrThrow(Either.flip(either)).message
const defaults = { between: "", within: 1, failure: 0.01 }

describe("plan-quorums", () => {
  it("prints a line for each system, the fastest first, and what the columns mean", () => {
    const zones = Either.getOrThrow(parseZones("eu=2, us=1"))
    const place = Either.getOrThrow(placeOf(zones, { ...defaults, between: "us-eu=80", failure: 0 }))
    const [head, ...lines] = table(zones, QuorumPlanner.compare(place)).split("\n")
    assert.deepStrictEqual(head?.split(/ {2,}/), [
      "system",
      "rounds",
      "elections survive",
      "commands survive",
      "down",
      "leader",
      "ms from eu",
      "ms from us",
      "mean ms"
    ])
    const majority = lines.find((line) => line.startsWith("majority of 3"))
    assert.deepStrictEqual(majority?.split(/ {2,}/), [
      "majority of 3",
      "1 on",
      "1",
      "1",
      "0.0 s/year",
      "1 (eu)",
      "1.5",
      "81.0",
      "28.0"
    ])
    assert.match(lines.join("\n"), /survive: how many members may be down/)
  })

  it("says what is wrong with its arguments", () => {
    assert.include(refused(parseZones("eu=2,us")), '"us" is none')
    assert.include(refused(parseZones("eu=0")), '"eu=0" is none')
    assert.include(refused(parseZones("eu=2,eu=2")), '"eu" twice')
    assert.include(refused(parseZones("17")), "17 members are more than the 16")
    const zones = Either.getOrThrow(parseZones("eu=2,us=1"))
    const between = (between: string) => refused(placeOf(zones, { ...defaults, between }))
    assert.strictEqual(between(""), "--between lacks the time from eu to us, as eu-us=80")
    assert.include(between("eu-us=fast"), '"eu-us=fast" is none')
    assert.include(between("eu-ap=10"), 'the zone "ap", and --zones does not')
    assert.include(refused(placeOf(zones, { ...defaults, failure: 1 })), "--failure is a likelihood")
    assert.include(refused(placeOf(zones, { ...defaults, within: Number.NaN })), "--within is a time")
  })
})
