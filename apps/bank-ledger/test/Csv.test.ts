import { assert, describe, it } from "@effect/vitest"
import { Either } from "effect"
import * as Amount from "../src/domain/Amount.js"
import { balance } from "../src/import/Balancing.js"
import * as Csv from "../src/import/Csv.js"
import * as CsvJournal from "../src/import/CsvJournal.js"

const header =
  '"txnidx","date","date2","status","code","description","comment","account","amount","commodity","credit","debit","posting-status","posting-comment"'

const table = (...rows: ReadonlyArray<string>) => `${[header, ...rows].join("\n")}\n`

const problems = (source: string) => balance(CsvJournal.parse("t.csv", source)).problems.map(String)

describe("rows", () => {
  const cells = (source: string) =>
    Either.match(Csv.parse(source), {
      onLeft: ({ message, place }) => `${place.line}:${Csv.columnOf(source, place)}: ${message}`,
      onRight: (rows) => rows.map((row) => row.map((cell) => cell.text))
    })

  it("hold quoted and bare cells, quotes within quotes, and line breaks", () => {
    assert.deepStrictEqual(cells('a,"b ""c""",\r\n\r\n"d\ne",,f'), [
      ["a", 'b "c"', ""],
      ["d\ne", "", "f"]
    ])
    assert.deepStrictEqual(cells("\uFEFFa,b"), [["a", "b"]])
    assert.deepStrictEqual(cells(""), [])
  })

  it("know where each cell stands, also below line breaks", () => {
    const source = '"a\n\nb",c\nü,"d"'
    const rows = Either.getOrThrow(Csv.parse(source))
    assert.deepStrictEqual(
      rows.map((row) => row.map(({ place }) => [place.line, Csv.columnOf(source, place)])),
      [
        [
          [1, 1],
          [3, 4]
        ],
        [
          [4, 1],
          [4, 3]
        ]
      ]
    )
  })

  it("are refused where they are malformed", () => {
    assert.strictEqual(cells('a,b\nc,"d\ne'), "2:3: expected a closing quote to this one")
    assert.strictEqual(cells('a,b"c'), "1:4: expected no quote inside a cell that doesn't begin with one")
    assert.strictEqual(cells('"a"b,c'), "1:4: expected a comma or the end of the line after a cell")
    assert.strictEqual(cells(",".repeat(100)), "1:101: expected at most 100 cells in a row")
    assert.strictEqual(cells(`a,${"x".repeat(10_001)}`), "1:3: expected at most 10000 characters in a cell")
  })
})

describe("the table of hledger print", () => {
  it("gives back the transactions", () => {
    const source = table(
      '"1","2026-01-01","2026-01-03","*","c1","Payee | note","one, tag:val\ntwo","assets:eur","-1234,50","EUR","1234,50","","",""',
      '"1","2026-01-01","2026-01-03","*","c1","Payee | note","one, tag:val\ntwo","assets:cash","1234,50","EUR","","1234,50","","pc"',
      '"2","2026-01-02","","!","","fx","","assets:usd","100.00","$","","100.00","",""',
      '"2","2026-01-02","","!","","fx","","assets:eur","-92,00","EUR","92,00","","",""'
    )
    const { problems, transactions } = balance(CsvJournal.parse("t.csv", source))
    assert.deepStrictEqual(problems, [])
    const [first, second] = transactions.map(({ transaction }) => transaction)
    const words = [first?.date, first?.secondaryDate, first?.status, first?.code, first?.description, first?.comment]
    assert.deepStrictEqual<unknown>(words, [
      "2026-01-01",
      "2026-01-03",
      "Cleared",
      "c1",
      "Payee | note",
      "one, tag:val\ntwo"
    ])
    const shown = (postings: ReadonlyArray<{ amount: Amount.Amount; cost?: Amount.Amount }> = []) =>
      postings.map(({ amount, cost }) => Amount.show(amount) + (cost === undefined ? "" : ` @@ ${Amount.show(cost)}`))
    assert.deepStrictEqual(shown(first?.postings), ["-1234.5 EUR", "1234.5 EUR"])
    assert.strictEqual(first?.postings[1]?.comment, "pc")
    assert.deepStrictEqual(shown(second?.postings), ["100 $ @@ 92 EUR", "-92 EUR"], "the cost that it doesn't carry")
  })

  const posting = (amount: string, commodity = "EUR", account = "a") =>
    `"1","2026-01-01","","","","x","","${account}","${amount}","${commodity}","","","",""`

  const bad: ReadonlyArray<readonly [source: string, ...problems: ReadonlyArray<string>]> = [
    ["", "1:1: expected a header with the columns of hledger print -O csv"],
    [
      "date,amount\n",
      "1:1: expected a header with the columns txnidx, date, description, account, amount, commodity; there is no txnidx, description, account, commodity"
    ],
    [table(posting("1"), '"1","2026-01-01"'), "3:1: expected 14 cells as in the header, found 2"],
    [table(posting("1"), posting("x")), '3:39: expected a number, found "x"'],
    [table(posting("1"), posting("-1 EUR")), '3:41: expected the end of the cell, found "EUR"'],
    [
      table(posting("1", "EUR", "a::b")),
      "2:34: expected an account name such as assets:bank:checking, of at most 256 characters"
    ],
    [
      table('"1","2026-02-30","","","","x","","a","1","EUR","","","",""'),
      '2:6: expected a day of the calendar, found "2026-02-30"'
    ],
    [
      table('"1","2026-01-01","","?","","x","","a","1","EUR","","","",""'),
      "2:21: expected a status, * or ! or nothing"
    ],
    [table(posting("1"), posting("-2")), "2:1: the transaction is off by -1 EUR"],
    [
      table(posting("1"), posting("-2", "USD"), posting("5", "GBP")),
      "2:1: the transaction is off by 1 EUR and -2 USD and 5 GBP"
    ]
  ]
  for (const [source, ...expected] of bad) {
    it(`refuses ${expected[0]}`, () => {
      assert.deepStrictEqual(
        problems(source),
        expected.map((problem) => `t.csv:${problem}`)
      )
    })
  }
})
