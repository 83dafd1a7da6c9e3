/**
 * Checks a config before it is used: one rule an option, one sentence for the person who set it.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Inspectable from "effect/Inspectable"
import * as Option from "effect/Option"

/**
 * An option has a value that can't work.
 *
 * @since 0.1.0
 * @category errors
 */
export class ConfigRefused extends Data.TaggedError("ConfigRefused")<{
  /** Whose config: `client` or `replica`. */
  readonly config: string
  readonly option: string
  /** What it must be. */
  readonly expected: string
  readonly found: unknown
}> {
  override get message(): string {
    return `The ${this.config}'s option "${this.option}" must be ${this.expected}, not ${Inspectable.toStringUnknown(this.found, 0)}.`
  }
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Rule {
  /** Completes the sentence "it must be …". */
  readonly expected: string
  readonly holds: (value: unknown) => boolean
}

/**
 * A whole number within limits.
 *
 * @since 0.1.0
 * @category rules
 */
export const count = (min: number, max: number): Rule => ({
  expected: `a whole number from ${min} to ${max}`,
  holds: (value) => Number.isInteger(value) && (value as number) >= min && (value as number) <= max
})

/**
 * A number from 0 to 1.
 *
 * @since 0.1.0
 * @category rules
 */
export const share: Rule = {
  expected: "a number from 0 to 1",
  holds: (value) => typeof value === "number" && value >= 0 && value <= 1
}

/**
 * A span of time from a millisecond to a day.
 *
 * @since 0.1.0
 * @category rules
 */
export const time: Rule = {
  expected: "a time from 1 millisecond to 1 day",
  holds: (value) =>
    Option.exists(Duration.decodeUnknown(value), Duration.between({ minimum: "1 millis", maximum: "1 day" }))
}

/**
 * A number of bytes: at most 64 MiB, since it is held in memory and sent in one piece.
 *
 * @since 0.1.0
 * @category rules
 */
export const bytes: Rule = count(1, 64 * 1024 * 1024)

/**
 * One of some words.
 *
 * @since 0.1.0
 * @category rules
 */
export const oneOf = (words: ReadonlyArray<string>): Rule => ({
  expected: words.map((word) => `"${word}"`).join(" or "),
  holds: (value) => typeof value === "string" && words.includes(value)
})

/**
 * The config, if each of its options keeps its rule.
 *
 * @since 0.1.0
 * @category checking
 */
export const check = <Config extends object>(
  name: string,
  config: Config,
  rules: { readonly [Option in keyof Config]: Rule }
): Effect.Effect<Config, ConfigRefused> =>
  Effect.suspend(() => {
    for (const [option, { expected, holds }] of Object.entries<Rule>(rules)) {
      const found = config[option as keyof Config]
      if (!holds(found)) return Effect.fail(new ConfigRefused({ config: name, option, expected, found }))
    }
    return Effect.succeed(config)
  })
