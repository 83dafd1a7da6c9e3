/**
 * What must hold whatever happens, checked after every step, in production too. A breach means that the protocol or the
 * journal below it is broken: the replica stops before it can speak.
 *
 * @since 0.1.0
 */

/**
 * Thrown as a defect; it names the role and what did not hold.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvariantBroken extends Error {
  override readonly name = "InvariantBroken"
  constructor(
    readonly role: string,
    readonly claim: string
  ) {
    super(`${role}: ${claim} does not hold`)
  }
}

/**
 * @since 0.1.0
 * @category checking
 */
export const hold: (role: string, claim: string, holds: boolean) => asserts holds = (role, claim, holds) => {
  if (!holds) throw new InvariantBroken(role, claim)
}
