/**
 * Charts as SVG: lines over two axes, of which each is linear or logarithmic.
 */

export interface Line {
  readonly name: string
  readonly points: ReadonlyArray<readonly [x: number, y: number]>
  /** Of the colours, from 0 on, so that it is the same in several charts. Default: its place. */
  readonly colour?: number
}

export interface Axis {
  readonly title: string
  readonly scale: "linear" | "logarithmic"
}

export interface Chart {
  readonly title: string
  readonly x: Axis
  readonly y: Axis
  readonly lines: ReadonlyArray<Line>
}

/** In pixels. */
const size = { width: 720, height: 380 }
const margin = { left: 70, right: 170, top: 36, bottom: 50 }

/** Apart for people who see colours differently (Okabe and Ito), and again from the first on. */
const colours = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"]

/** One below the other. */
export const svg = (charts: ReadonlyArray<Chart>): string => {
  const height = size.height * charts.length
  const body = charts.map((chart, i) => `<g transform="translate(0 ${i * size.height})">\n${draw(chart)}\n</g>`)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${size.width}" height="${height}" viewBox="0 0 ${size.width} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="100%" height="100%" fill="#ffffff"/>`,
    ...body,
    "</svg>\n"
  ].join("\n")
}

const draw = ({ lines, title, x, y }: Chart): string => {
  const all = lines.flatMap(({ points }) => points)
  const right = size.width - margin.right
  const bottom = size.height - margin.bottom
  const across = scaleOf(
    all.map(([value]) => value),
    x.scale,
    [margin.left, right]
  )
  const up = scaleOf(
    all.map(([, value]) => value),
    y.scale,
    [bottom, margin.top]
  )
  const grid = [
    ...across.ticks.map((tick) => rule(across.at(tick), margin.top, across.at(tick), bottom)),
    ...up.ticks.map((tick) => rule(margin.left, up.at(tick), right, up.at(tick)))
  ]
  const labels = [
    ...across.ticks.map((tick) => label(across.at(tick), bottom + 16, "middle", number(tick))),
    ...up.ticks.map((tick) => label(margin.left - 6, up.at(tick) + 4, "end", number(tick))),
    label((margin.left + right) / 2, bottom + 36, "middle", x.title),
    `<text transform="translate(16 ${(margin.top + bottom) / 2}) rotate(-90)" text-anchor="middle">${escape(y.title)}</text>`,
    `<text x="${margin.left}" y="22" font-size="14" font-weight="bold">${escape(title)}</text>`
  ]
  const drawn = lines.map(({ colour: chosen, name, points }, i) => {
    const colour = colours[(chosen ?? i) % colours.length]!
    const places = points.map(([a, b]) => [across.at(a).toFixed(1), up.at(b).toFixed(1)] as const)
    const path = `<polyline fill="none" stroke="${colour}" stroke-width="2" points="${places.map((it) => it.join(",")).join(" ")}"/>`
    // Where there are many they would hide the line.
    const dots =
      points.length > 30 ? [] : places.map(([a, b]) => `<circle cx="${a}" cy="${b}" r="3" fill="${colour}"/>`)
    const entry = margin.top + 8 + 18 * i
    const legend = `<rect x="${right + 14}" y="${entry}" width="12" height="4" fill="${colour}"/>${label(right + 32, entry + 6, "start", name)}`
    return [path, ...dots, legend].join("\n")
  })
  return [...grid, ...labels, ...drawn].join("\n")
}

const rule = (x1: number, y1: number, x2: number, y2: number): string =>
  `<line x1="${x1.toFixed(1)}" y1="${y1.toFixed(1)}" x2="${x2.toFixed(1)}" y2="${y2.toFixed(1)}" stroke="#dddddd"/>`

const label = (x: number, y: number, anchor: "start" | "middle" | "end", text: string): string =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}">${escape(text)}</text>`

const escape = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")

const number = (value: number): string =>
  Number(value.toPrecision(6)).toLocaleString("en", { maximumFractionDigits: 3 })

interface Scale {
  readonly ticks: ReadonlyArray<number>
  readonly at: (value: number) => number
}

/** From values to pixels: with nothing below zero; logarithmic ones from a tick at or below the least to one at or above the greatest. */
const scaleOf = (values: ReadonlyArray<number>, scale: Axis["scale"], [from, to]: readonly [number, number]): Scale => {
  const ticks = scale === "linear" ? linearTicks(values) : logarithmicTicks(values.filter((value) => value > 0))
  const f = scale === "linear" ? (value: number) => value : (value: number) => Math.log10(Math.max(value, ticks[0]!))
  const low = f(ticks[0]!)
  const high = f(ticks[ticks.length - 1]!)
  return { ticks, at: (value) => from + ((f(value) - low) / (high - low)) * (to - from) }
}

/** About how many a linear axis has. */
const about = 6

export const linearTicks = (values: ReadonlyArray<number>): ReadonlyArray<number> => {
  const low = Math.min(0, ...values)
  const high = Math.max(0, ...values)
  const rough = (high - low || 1) / about
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].map((times) => times * power).find((step) => step >= rough) ?? 10 * power
  const first = Math.floor(low / step)
  const last = Math.max(first + 1, Math.ceil(high / step))
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step)
}

/** 1, 2, 5, 10 and so on; within more than two powers of ten only these. */
export const logarithmicTicks = (values: ReadonlyArray<number>): ReadonlyArray<number> => {
  const low = values.length === 0 ? 1 : Math.min(...values)
  const high = values.length === 0 ? 10 : Math.max(...values)
  const steps = high / low > 100 ? [1] : [1, 2, 5]
  const powers = Array.from({ length: 40 }, (_, i) => i - 20)
  const all = powers.flatMap((power) => steps.map((step) => Number(`${step}e${power}`)))
  const first = Math.max(
    0,
    all.findLastIndex((tick) => tick <= low)
  )
  const last = all.findIndex((tick) => tick >= high)
  return all.slice(first, Math.max(last, first + 1) + 1)
}
