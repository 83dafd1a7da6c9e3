/** The ways to simulate that the command line knows, by their names. */
import { CoreTier, RegisterTier, WorldTier, type Tier } from "@synod/simulator"

export const tiers: ReadonlyArray<Tier.Tier> = [CoreTier.tier, RegisterTier.tier, WorldTier.tier]

export const byName = (name: string): Tier.Tier => {
  const tier = tiers.find((tier) => tier.name === name)
  if (tier === undefined)
    throw new Error(`There is no tier ${name}: expected ${tiers.map(({ name }) => name).join(" or ")}.`)
  return tier
}
