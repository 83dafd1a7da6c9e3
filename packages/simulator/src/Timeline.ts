/**
 * Pictures of a history: clients as rows, operations as bars from call to return.
 *
 * @since 0.1.0
 */
import type { Operation } from "./History.js"
import type { Model } from "./Model.js"
import type { Shrunk } from "./Shrink.js"

/**
 * What a picture shows.
 *
 * @since 0.1.0
 * @category models
 */
export interface Picture {
  readonly title: string
  /** A sentence for each thing that is worth saying. */
  readonly notes: ReadonlyArray<string>
  readonly operations: ReadonlyArray<Operation>
  /** What doesn't go together; drawn strongly. */
  readonly offending: ReadonlyArray<Operation>
  /** The one whose answer can't be explained. */
  readonly culprit?: Operation
  /** How an operation reads, such as that of a model. */
  readonly describe: Model<unknown>["describe"]
}

/**
 * The picture of what {@link "./Shrink"} left of a failing history: as text best of the few operations that don't go
 * together alone, as a page best among all others that came before.
 *
 * @since 0.1.0
 * @category pictures
 */
export const failure = <State>(
  model: Model<State>,
  title: string,
  shrunk: Shrunk,
  others: ReadonlyArray<Operation> = []
): Picture => {
  const { free, isMinimal, kept, verdict } = shrunk
  const { culprit, states } = verdict
  const where = verdict.partition === "" ? "" : ` on key ${verdict.partition}`
  const alone = isMinimal
    ? "Without any one of them there would be an order."
    : "There may be fewer: the bounds came first."
  const rest =
    free.length === 0
      ? []
      : [`${free.length} more may have taken effect or not, each at its time, and it makes no difference.`]
  return {
    title,
    notes: [
      `No order of the operations${where} explains what client ${culprit.client} was answered: ${model.describe(culprit)}.`,
      `Just before that, the state could only have been: ${states.join("; ")}.`,
      kept.length === 1 ? "That answer alone can't be." : `${kept.length} answers don't go together. ${alone}`,
      ...rest
    ],
    operations: [...kept, ...others.filter((operation) => !kept.includes(operation))],
    offending: kept,
    culprit,
    describe: model.describe
  }
}

/** Columns of the bars in the text picture: with a client's name before it, a line of a wide terminal. */
const COLUMNS = 100

/** Columns from one instant to the next. */
const WIDEST = 4

/** Operations in the text picture: more of them, and no person sees anything. */
const MOST_LINES = 60

/**
 * As text: a line for each operation, in the order of the calls. `[` is the call, `]` the return, `…` an operation that
 * nobody heard of again; `!` marks what doesn't go together, and `►` the one whose answer can't be explained.
 *
 * @since 0.1.0
 * @category pictures
 */
export const text = (picture: Picture): string => {
  const { culprit, describe, notes, offending, operations, title } = picture
  const shown = [...operations].sort((a, b) => a.call - b.call)
  // The last ones are nearest to what went wrong.
  const drawn = shown.slice(-MOST_LINES)
  const { column, count } = columnsOf(drawn)
  const marks = new Set(offending)
  const width = Math.max(0, ...drawn.map(({ client }) => String(client).length))
  const lines = drawn.map((operation) => {
    const from = column(operation.call)
    const to = operation.ret === null ? count : column(operation.ret)
    const end = operation.ret === null ? "…" : "]"
    const bar = from === to ? "|" : `[${"─".repeat(to - from - 1)}${end}`
    const mark = operation === culprit ? "►" : marks.has(operation) ? "!" : " "
    const client = String(operation.client).padStart(width)
    return `${mark} ${client} ${`${" ".repeat(from)}${bar}`.padEnd(count + 1)} ${describe(operation)}`
  })
  const left = shown.length - drawn.length
  return [
    title,
    ...notes,
    "",
    ...(left > 0 ? [`… ${left} earlier operations are left out`] : []),
    ...lines.map((line) => line.trimEnd()),
    ""
  ].join("\n")
}

/** Each instant that something happens at has columns of its own while there are enough; the order is what matters. */
const columnsOf = (operations: ReadonlyArray<Operation>) => {
  const times = instants(operations)
  const place = new Map(times.map((time, i) => [time, i]))
  const scale = Math.min(WIDEST, COLUMNS / Math.max(1, times.length))
  return {
    column: (time: number): number => Math.round(place.get(time)! * scale),
    count: Math.round(times.length * scale)
  }
}

const instants = (operations: ReadonlyArray<Operation>): ReadonlyArray<number> =>
  [...new Set(operations.flatMap(({ call, ret }) => (ret === null ? [call] : [call, ret])))].sort((a, b) => a - b)

/** Sizes in pixels: a bar that is as short as can be still shows the beginning of its text. */
const STEP = 26
const ROW = 30
const BAR = 22

/** Operations in the HTML picture: browsers draw some thousand bars at once, and people look at the last ones. */
const MOST_BARS = 4_000

/**
 * As a page that stands alone: no scripts, no fonts, nothing from elsewhere. Hovering over a bar, or moving to it with
 * the keyboard, shows the operation in full.
 *
 * @since 0.1.0
 * @category pictures
 */
export const html = (picture: Picture): string => {
  const { notes, operations, title } = picture
  const drawn = [...operations].sort((a, b) => a.call - b.call).slice(-MOST_BARS)
  const left = operations.length - drawn.length
  const said = left > 0 ? [...notes, `${left} earlier operations are left out.`] : notes
  const times = instants(drawn)
  const place = new Map(times.map((time, i) => [time, i]))
  const lanes = lanesOf(drawn)
  const width = (times.length + 3) * STEP
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${escaped(title)}</h1>
${said.map((note) => `<p>${escaped(note)}</p>`).join("\n")}
<ul class="key"><li class="culprit">can't be explained</li><li class="offending">doesn't go together with it</li><li>known outcome</li><li class="failed">took no effect</li><li class="unknown">outcome unknown</li></ul>
<div class="chart"><div class="rows" style="width:${width}px">
${windowOf(picture, place, width)}
${lanes.map((lane) => row(picture, lane, place, times.length)).join("\n")}
</div></div>
</body>
</html>
`
}

/** The time from the first of what doesn't go together to the return that can't be explained. */
const windowOf = ({ culprit, offending }: Picture, place: ReadonlyMap<number, number>, width: number): string => {
  if (culprit === undefined || culprit.ret === null) return ""
  const end = place.get(culprit.ret) ?? 0
  const starts = [culprit, ...offending].map(({ call }) => place.get(call) ?? 0)
  const from = Math.min(width, Math.min(...starts) * STEP)
  return `<div class="window" style="left:${from}px;width:${(end + 1) * STEP - from}px"></div>`
}

interface Lane {
  readonly client: string
  /** Only the first lane of a client is named: it has more where its operations overlap. */
  readonly isFirst: boolean
  readonly operations: Array<Operation>
}

const lanesOf = (operations: ReadonlyArray<Operation>): ReadonlyArray<Lane> => {
  const clients = new Map<string, Array<Lane>>()
  for (const operation of operations) {
    const client = String(operation.client)
    const lanes = clients.get(client) ?? []
    clients.set(client, lanes)
    const free = lanes.find(({ operations }) => {
      const last = operations.at(-1)!
      return last.ret !== null && last.ret < operation.call
    })
    if (free === undefined) lanes.push({ client, isFirst: lanes.length === 0, operations: [operation] })
    else free.operations.push(operation)
  }
  const byName = [...clients].sort(([a], [b]) => a.localeCompare(b, "en", { numeric: true }))
  return byName.flatMap(([, lanes]) => lanes)
}

const row = (picture: Picture, lane: Lane, place: ReadonlyMap<number, number>, end: number): string => {
  const bars = lane.operations.map((operation) => bar(picture, operation, place, end)).join("")
  return `<div class="row"><span class="client">${lane.isFirst ? escaped(lane.client) : ""}</span>${bars}</div>`
}

const bar = (picture: Picture, operation: Operation, place: ReadonlyMap<number, number>, end: number): string => {
  const { culprit, describe, offending } = picture
  const from = place.get(operation.call)!
  const to = operation.ret === null ? end + 1 : place.get(operation.ret)!
  const classes = [
    "bar",
    operation.outcome,
    ...(operation === culprit ? ["culprit"] : offending.includes(operation) ? ["offending"] : [])
  ]
  const what = describe(operation)
  const times = operation.ret === null ? `${operation.call}, never returned` : `${operation.call} to ${operation.ret}`
  const detail = `client ${operation.client}, key ${operation.key}: ${what}, time ${times}, outcome ${operation.outcome}`
  const style = `left:${from * STEP}px;width:${Math.max(1, to - from) * STEP - 2}px`
  return `<span class="${classes.join(" ")}" style="${style}" title="${escaped(detail)}" tabindex="0"><b>${escaped(what)}</b><i>${escaped(detail)}</i></span>`
}

const STYLE = `
:root{color-scheme:light dark;--page:#fff;--ink:#1d2430;--faint:#66707f;--line:#e3e6ea;--known:#cfe0f5;--failed:#e6e8eb;--bad:#c62828;--near:#f6c453;--window:#c6282812}
@media (prefers-color-scheme:dark){:root{--page:#14181e;--ink:#e6e9ee;--faint:#98a2b0;--line:#262d37;--known:#2b4668;--failed:#333a45;--bad:#e05252;--near:#a97a12;--window:#e0525222}}
body{margin:2rem;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
h1{font-size:1.25rem;font-weight:600}p{max-width:60rem;margin:.25rem 0}
.key{display:flex;flex-wrap:wrap;gap:.5rem;padding:0;list-style:none;font-size:13px}
.key li,.bar{background:var(--known);border:1px solid transparent;border-radius:4px;padding:0 6px}
.key .failed,.failed{background:var(--failed);color:var(--faint)}
.key .unknown,.unknown{background:transparent;border:1px dashed var(--faint)}
.key .offending,.offending{background:var(--near)}
.key .culprit,.culprit{background:var(--bad);color:#fff}
.chart{overflow-x:auto;padding-bottom:5rem}
.rows{position:relative;margin-left:5rem}
.row{position:relative;height:${ROW}px;border-top:1px solid var(--line)}
.client{position:sticky;left:0;display:inline-block;margin-left:-5rem;width:4.5rem;text-align:right;color:var(--faint);line-height:${ROW}px;overflow:hidden;white-space:nowrap;text-overflow:ellipsis}
.window{position:absolute;top:0;bottom:0;background:var(--window);border-left:1px solid var(--bad);border-right:1px solid var(--bad)}
.bar{position:absolute;top:${(ROW - BAR) / 2}px;height:${BAR}px;line-height:${BAR - 2}px;box-sizing:border-box;font-size:12px;white-space:nowrap}
.bar b{display:block;overflow:hidden;font-weight:400;text-overflow:ellipsis}
.bar i{display:none;position:absolute;left:0;top:${BAR + 4}px;z-index:2;padding:4px 8px;border:1px solid var(--faint);border-radius:4px;background:var(--page);color:var(--ink);font-style:normal;max-width:40rem;white-space:normal;width:max-content}
.bar:hover i,.bar:focus i{display:block}
`

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ["&", "&amp;"],
  ["<", "&lt;"],
  [">", "&gt;"],
  ['"', "&quot;"],
  ["'", "&#39;"]
])

/** Names and values are whatever clients sent. What XML doesn't allow is shown as `\ufffd`. */
const escaped = (plain: string): string =>
  plain
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, "\ufffd")
    .replace(/[&<>"']/g, (mark) => ENTITIES.get(mark)!)
