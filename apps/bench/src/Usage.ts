/**
 * What processes take of the machine, as Linux tells it in `/proc`; elsewhere nobody knows.
 */
import { Effect } from "effect"
import * as Fs from "node:fs"

/** Of a second, as the kernel counts for programs. */
const tick = 1 / 100

/** Seconds of CPU that the processes have had until now. */
export const cpuSeconds = (processes: ReadonlyArray<number>): number | undefined =>
  sum(processes, (pid) => {
    const text = read(`/proc/${pid}/stat`)
    return text === undefined ? undefined : cpuOf(text)
  })

/** The time in user and in system mode, from a line of `stat`: its name is in brackets and may hold anything. */
export const cpuOf = (stat: string): number => {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
  return (Number(fields[11]) + Number(fields[12])) * tick
}

/** MiB in memory. */
export const mebibytes = (processes: ReadonlyArray<number>): number | undefined =>
  sum(processes, (pid) => {
    const text = read(`/proc/${pid}/status`)
    return text === undefined ? undefined : residentOf(text)
  })

/** From the lines of `status`. */
export const residentOf = (status: string): number =>
  Number(/^VmRSS:\s*(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN) / 1024

/** What an effect gives, and the seconds of CPU that processes took meanwhile. */
export const during = <A, E>(processes: ReadonlyArray<number>, effect: Effect.Effect<A, E>) =>
  Effect.suspend(() => {
    const before = cpuSeconds(processes)
    return Effect.map(effect, (value) => {
      const after = cpuSeconds(processes)
      return { value, cpu: before === undefined || after === undefined ? undefined : after - before }
    })
  })

const read = (file: string): string | undefined => {
  try {
    return Fs.readFileSync(file, "utf8")
  } catch {
    return undefined
  }
}

const sum = (processes: ReadonlyArray<number>, of: (pid: number) => number | undefined): number | undefined => {
  let total = 0
  for (const pid of processes) {
    const one = of(pid)
    if (one === undefined) return undefined
    total += one
  }
  return total
}
