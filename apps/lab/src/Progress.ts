/** How far many seeds have come: a bar on a terminal, a line now and then where nobody can see one. */

/** Seconds between two lines where there is no terminal. */
const quiet = 15

export interface Progress {
  readonly show: (seeds: number, failed: number) => void
  readonly end: () => void
}

export const make = (total: number, started: number): Progress => {
  const { stderr } = process
  const begin = performance.now()
  let lastLine = begin
  return {
    show: (seeds, failed) => {
      const seconds = (performance.now() - begin) / 1000
      const left = seeds > started ? (seconds / (seeds - started)) * (total - seeds) : undefined
      const text = `${seeds} of ${total} seeds, failures ${failed}, ${left === undefined ? "" : `${Math.ceil(left)} s left`}`
      if (stderr.isTTY) {
        const filled = Math.round((seeds / total) * width)
        stderr.write(`\r[${"#".repeat(filled)}${".".repeat(width - filled)}] ${text}\u001b[K`)
      } else if (performance.now() - lastLine > quiet * 1000) {
        lastLine = performance.now()
        stderr.write(`${text}\n`)
      }
    },
    end: () => {
      if (stderr.isTTY) stderr.write("\r\u001b[K")
    }
  }
}

/** Characters of the bar. */
const width = 30
