/**
 * How something grows with its cause: as the power of it that fits best, by least squares of the logarithms. 1: in proportion; above, it
 * grows faster than its cause.
 */
export const exponent = (points: ReadonlyArray<readonly [cause: number, effect: number]>): number => {
  const logs = points
    .filter(([cause, effect]) => cause > 0 && effect > 0)
    .map((it) => it.map(Math.log) as [number, number])
  const mean = (of: (it: [number, number]) => number) => logs.reduce((sum, it) => sum + of(it), 0) / logs.length
  const middle = [mean(([x]) => x), mean(([, y]) => y)] as const
  const sum = (of: (dx: number, dy: number) => number) =>
    logs.reduce((sum, [x, y]) => sum + of(x - middle[0], y - middle[1]), 0)
  return sum((dx, dy) => dx * dy) / sum((dx) => dx * dx)
}

/** Above 1 by more than measuring is off by. */
const clearly = 1.1

export const verdict = (points: ReadonlyArray<readonly [cause: number, effect: number]>): string => {
  const found = exponent(points)
  if (!Number.isFinite(found)) return "can't be told"
  return `to the power of ${found.toFixed(2)}: ${found > clearly ? "FASTER than its cause" : "no faster than its cause"}`
}
