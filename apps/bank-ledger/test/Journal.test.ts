import { NodeContext } from "@effect/platform-node"
import { FileSystem, Path } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Amount from "../src/domain/Amount.js"
import { balance } from "../src/import/Balancing.js"
import type { Journal } from "../src/import/Journal.js"
import { maximumLine } from "../src/import/JournalParser.js"
import * as JournalReader from "../src/import/JournalReader.js"
import { maximumProblems } from "../src/import/Problem.js"

const lines = (...lines: ReadonlyArray<string>) => `${lines.join("\n")}\n`

/** Transactions as text, without alignment: what was understood. */
const understood = (source: string): ReadonlyArray<string> => render(JournalReader.parse("test.journal", source))

const render = (journal: Journal): ReadonlyArray<string> => {
  const { problems, transactions } = balance(journal)
  assert.deepStrictEqual(problems.map(String), [])
  return transactions.map(({ transaction: { code, comment, date, description, postings, secondaryDate, status } }) =>
    [
      [
        secondaryDate === undefined ? date : `${date}=${secondaryDate}`,
        ...(status === undefined ? [] : [status]),
        ...(code === undefined ? [] : [`(${code})`]),
        description,
        ...(comment === undefined ? [] : [`; ${comment.replaceAll("\n", " / ")}`])
      ].join(" "),
      ...postings.map(({ account, amount, comment, cost }) =>
        [
          account,
          Amount.show(amount),
          ...(cost === undefined ? [] : [`@@ ${Amount.show(cost)}`]),
          ...(comment === undefined ? [] : [`; ${comment.replaceAll("\n", " / ")}`])
        ].join(" | ")
      )
    ].join("\n")
  )
}

const problems = (source: string): ReadonlyArray<string> =>
  balance(JournalReader.parse("test.journal", source)).problems.map(String)

/** What is understood of an amount on a posting, after the directives given. */
const amountOf = (text: string, ...directives: ReadonlyArray<string>): string => {
  const [entry = ""] = understood(lines(...directives, "2026-01-31 x", `  a  ${text}`, "  b"))
  return (entry.split("\n")[1] ?? "").split(" | ").slice(1).join(" | ")
}

describe("transactions", () => {
  it("read all there is to a header and a posting", () => {
    assert.deepStrictEqual(
      understood(
        lines(
          "2026-01-31=2026-02-02 * (c 17) Bakery | bread rolls  ; at noon, trip:north",
          "    ; and a second line",
          "    ! expenses:food and drink    4,20 EUR  ; fresh",
          "      ; still warm",
          "    assets:cash\t\t-4,20 EUR"
        )
      ),
      [
        "2026-01-31=2026-02-02 Cleared (c 17) Bakery | bread rolls ; at noon, trip:north / and a second line\n" +
          "expenses:food and drink | 4.2 EUR | ; fresh / still warm\n" +
          "assets:cash | -4.2 EUR"
      ]
    )
  })

  it("may be dated in every usual way", () => {
    const dates = ["2026-01-31", "2026/1/31", "2026.1.31", "2026-1-31 * x", "2026-01-31=2/1 x", "2026-01-31 ;x"]
    assert.deepStrictEqual(
      dates.map((date) => understood(lines(date, "  a  1", "  b"))[0]?.split(" ")[0]),
      ["2026-01-31", "2026-01-31", "2026-01-31", "2026-01-31", "2026-01-31=2026-02-01", "2026-01-31"]
    )
    assert.deepStrictEqual(
      understood(lines("Y2024", "2/29 x", "  a  1", "  b", "apply year 2025", "1.2 y", "  a  1", "  b")).map((entry) =>
        entry.slice(0, 10)
      ),
      ["2024-02-29", "2025-01-02"]
    )
  })

  it("come in the order of their dates, and of the file within a day", () => {
    const source = ["2026-01-02 b", "2026-01-01 a", "2026-01-02 c"].flatMap((header) => [header, "  a  1", "  b", ""])
    assert.deepStrictEqual(
      understood(lines(...source)).map((entry) => entry.split("\n")[0]),
      ["2026-01-01 a", "2026-01-02 b", "2026-01-02 c"]
    )
  })

  it("are read past comments, empty lines and whatever ends the lines", () => {
    assert.deepStrictEqual(
      understood(
        "\uFEFF; one\r\n# two\r\n* Org heading\r\ncomment\r\nno: $ense\r\n2026-13-99\r\nend comment\r\n\r\n" +
          "2026-01-31 x\r\n  a  1 EUR\r\n  b"
      ),
      ["2026-01-31 x\na | 1 EUR\nb | -1 EUR"]
    )
  })

  it("that move nothing are counted, not kept", () => {
    const journal = JournalReader.parse(
      "test.journal",
      lines("2026-01-01 noted", "", "2026-01-02 asserted", "  a  0 EUR = 0 EUR", "", "2026-01-03 x", "  a  1", "  b")
    )
    const result = balance(journal)
    assert.deepStrictEqual([result.transactions.length, result.idle, result.problems.length], [1, 2, 0])
  })
})

describe("amounts", () => {
  it("stand with their commodity on either side, signed in any way", () => {
    const cases: ReadonlyArray<readonly [string, string]> = [
      ["5 EUR", "5 EUR"],
      ["5EUR", "5 EUR"],
      ["-5 EUR", "-5 EUR"],
      ["+5 EUR", "5 EUR"],
      ["- 5 EUR", "-5 EUR"],
      ["$5", "5 $"],
      ["$-5", "-5 $"],
      ["-$5.00", "-5 $"],
      ["EUR 5.25", "5.25 EUR"],
      ["€1.234,56", "1234.56 €"],
      ["1,234,567.5 USD", "1234567.5 USD"],
      ["1 234 567,5 SEK", "1234567.5 SEK"],
      ["1\u00a0234,5 SEK", "1234.5 SEK"],
      ["12,34,567.00 INR", "1234567 INR"],
      [".5 EUR", "0.5 EUR"],
      ["5. EUR", "5 EUR"],
      ["1E3 EUR", "1000 EUR"],
      ["1.5e-3 BTC", "0.0015 BTC"],
      ['3 "green apples"', '3 "green apples"'],
      ['"ISIN 12" 3', '3 "ISIN 12"'],
      ["5", "5"],
      ["0.1 EUR", "0.1 EUR"],
      ["123456789012345678901234567.891 X", "123456789012345678901234567.891 X"]
    ]
    for (const [text, expected] of cases) assert.strictEqual(amountOf(text), expected, text)
  })

  it("with one mark go by what directives say of it, and by hledger's rule else", () => {
    assert.strictEqual(amountOf("1,000 EUR"), "1 EUR")
    assert.strictEqual(amountOf("1.000 EUR"), "1 EUR")
    assert.strictEqual(amountOf("1.000 EUR", "commodity 1.000,00 EUR"), "1000 EUR")
    assert.strictEqual(amountOf("1,000 EUR", "commodity 1.000,00 EUR"), "1 EUR")
    assert.strictEqual(amountOf("1,000 EUR", "commodity EUR", "  format 1,000.00 EUR"), "1000 EUR")
    assert.strictEqual(amountOf("1.000 USD", "decimal-mark ,"), "1000 USD")
    assert.strictEqual(amountOf("1,5 USD", "decimal-mark ,"), "1.5 USD")
    assert.strictEqual(amountOf("1,000", "D $1,000.00"), "1000 $")
    assert.strictEqual(amountOf("1,000.5 EUR", "commodity 1.000,00 EUR"), "1000.5 EUR", "no doubt, no hint needed")
  })

  it("may cost something, each or in all", () => {
    assert.strictEqual(amountOf("10 USD @ 0.9 EUR"), "10 USD | @@ 9 EUR")
    assert.strictEqual(amountOf("-10 USD @ 0.9 EUR"), "-10 USD | @@ -9 EUR")
    assert.strictEqual(amountOf("10 USD @@ 9 EUR"), "10 USD | @@ 9 EUR")
    assert.strictEqual(amountOf("-10 USD (@@) 9 EUR"), "-10 USD | @@ -9 EUR")
    assert.strictEqual(amountOf("5 ACME {$3} [2025-01-01] @ $4"), "5 ACME | @@ 20 $", "lots are passed over")
  })

  it("left out are inferred, in every commodity", () => {
    assert.deepStrictEqual(understood(lines("2026-01-31 x", "  a  5 EUR", "  b  3 USD @ 0.5 GBP", "  c")), [
      "2026-01-31 x\na | 5 EUR\nb | 3 USD | @@ 1.5 GBP\nc | -5 EUR\nc | -1.5 GBP"
    ])
    assert.deepStrictEqual(understood(lines("2026-01-31 x", "  a  5 EUR", "  b  -5 EUR", "  c")), [
      "2026-01-31 x\na | 5 EUR\nb | -5 EUR\nc | 0 EUR"
    ])
  })

  it("in two commodities imply what one cost in the other", () => {
    assert.deepStrictEqual(understood(lines("2026-01-31 x", "  a  100 USD", "  b  -92.50 EUR")), [
      "2026-01-31 x\na | 100 USD | @@ 92.5 EUR\nb | -92.5 EUR"
    ])
    assert.deepStrictEqual(understood(lines("2026-01-31 x", "  a  1 A", "  b  2 A", "  c  -10 B")), [
      "2026-01-31 x\na | 1 A | @@ 3.333333333333 B\nb | 2 A | @@ 6.666666666667 B\nc | -10 B"
    ])
  })

  it("at cost balance to the decimals in use", () => {
    assert.lengthOf(understood(lines("2026-01-31 x", "  a  3 USD @ 0.33333 EUR", "  b  -1.00 EUR")), 1)
    assert.deepStrictEqual(problems(lines("2026-01-31 x", "  a  3 USD @ 0.33 EUR", "  b  -1.00 EUR")), [
      "test.journal:1:1: the transaction is off by -0.01 EUR"
    ])
  })
})

describe("balance assertions", () => {
  const history = ["2026-01-01 x", "  a:b  5 EUR", "  a:c  2 USD", "  z", ""]

  it("hold on the account, alone or with those below, in the order of dates", () => {
    assert.lengthOf(
      understood(
        lines(
          "2026-01-02 y",
          "  a:b  1 EUR = 6 EUR",
          "  a:b  0 EUR == 6 EUR",
          "  a  0 EUR =* 6 EUR",
          "  a:c  0 USD = 2.00 USD @ 1 EUR",
          "  z",
          ...history
        )
      ),
      2
    )
  })

  it("say what the balance is instead", () => {
    const failing = (assertion: string) => problems(lines(...history, "2026-01-02 y", `  ${assertion}`, "  z"))
    assert.deepStrictEqual(failing("a:b  1 EUR = 7 EUR"), [
      "test.journal:7:14: the balance of a:b is 6 EUR, not 7 EUR as asserted"
    ])
    assert.deepStrictEqual(failing("a  0 EUR =* 6 EUR"), [
      "test.journal:7:12: the balance of a and below is 5 EUR, not 6 EUR as asserted"
    ])
    assert.deepStrictEqual(failing("a  0 EUR ==* 5 EUR"), [
      "test.journal:7:12: the balance of a and below is 2 USD, not nothing but 5 EUR as asserted"
    ])
  })

  it("without an amount take what leads there", () => {
    assert.deepStrictEqual(understood(lines(...history, "2026-01-02 y", "  a:b  = 7.50 EUR", "  z")).slice(1), [
      "2026-01-02 y\na:b | 2.5 EUR\nz | -2.5 EUR"
    ])
  })
})

describe("directives", () => {
  it("account, alias and apply account say what a name means", () => {
    const source = lines(
      "account bank:checking  ; type:A",
      "  ; a note",
      "alias cash = bank:cash",
      "apply account mine",
      "2026-01-01 x",
      "  a  1",
      "  b",
      "end apply account",
      "2026-01-02 y",
      "  cash:till  1",
      "  cashier",
      "end aliases",
      "2026-01-03 z",
      "  cash  1",
      "  b"
    )
    assert.deepStrictEqual(
      understood(source).map((entry) =>
        entry
          .split("\n")
          .slice(1)
          .map((posting) => posting.split(" |")[0])
      ),
      [
        ["mine:a", "mine:b"],
        ["bank:cash:till", "cashier"],
        ["cash", "b"]
      ]
    )
    assert.deepStrictEqual([...JournalReader.parse("x", source).accounts], ["bank:checking"])
  })

  it("that move nothing are passed over", () => {
    assert.lengthOf(
      understood(
        lines(
          "P 2026-01-01 00:00:00 USD 0.92 EUR",
          "P 2026/1/1 $ 0.92 EUR  ; noon",
          "payee Bakery",
          "tag trip",
          "  ; a note",
          "commodity $1,000.00  ; dollars",
          "2026-01-31 x",
          "  a  1",
          "  b"
        )
      ),
      1
    )
  })

  it("and amounts decide how a commodity is written", () => {
    const { styles } = JournalReader.parse(
      "x",
      lines(
        "commodity 1.000,00 EUR",
        "2026-01-31 x",
        "  a  $1.5",
        "  b  5000 $",
        "  c  $1,000.225",
        "  d  3,5 EUR",
        "  e"
      )
    )
    const show = (text: string, quantity: string) =>
      [...styles]
        .filter(([commodity]) => commodity === text)
        .map(([commodity, style]) => {
          const [amount] = JournalReader.parse("x", lines("2026-01-31 x", `  a  ${quantity} X`)).entries[0]!.postings
          return Amount.show({ quantity: amount!.amount!.quantity, commodity }, style)
        })
    assert.deepStrictEqual(show("EUR", "1234567.5"), ["1.234.567,50 EUR"])
    assert.deepStrictEqual(show("$", "-1234567.5"), ["$-1,234,567.500"])
  })
})

describe("include", () => {
  const within = (files: Readonly<Record<string, string>>) =>
    Effect.gen(function* () {
      const disk = yield* FileSystem.FileSystem
      const path = yield* Path.Path
      const directory = yield* disk.makeTempDirectoryScoped()
      yield* disk.makeDirectory(path.join(directory, "sub"))
      for (const [name, text] of Object.entries(files)) yield* disk.writeFileString(path.join(directory, name), text)
      const journal = yield* JournalReader.read(path.join(directory, "main.journal"))
      return { journal, strip: (text: string) => text.replaceAll(`${directory}/`, "") }
    })

  it.scoped("reads files relative to the one that names them, with what was said before", () =>
    Effect.gen(function* () {
      const { journal } = yield* within({
        "main.journal": "Y2026\ninclude sub/a.journal\n1/2 y\n  a  1,000 EUR\n  b\n",
        "sub/a.journal": "include b.journal\n1/1 x\n  a  1\n  b\n",
        "sub/b.journal": "commodity 1,000.00 EUR\n"
      })
      assert.deepStrictEqual(render(journal), [
        "2026-01-01 x\na | 1\nb | -1",
        "2026-01-02 y\na | 1000 EUR\nb | -1000 EUR"
      ])
    }).pipe(Effect.provide(NodeContext.layer))
  )

  it.scoped("refuses what is missing, a pattern, and a circle", () =>
    Effect.gen(function* () {
      const { journal, strip } = yield* within({
        "main.journal": "include nothing.journal\ninclude sub/*.journal\ninclude sub/a.journal\n",
        "sub/a.journal": "\n  include ../main.journal\ninclude ../main.journal\n"
      })
      assert.deepStrictEqual(
        journal.problems.map((problem) => strip(String(problem))),
        [
          "main.journal:1:9: nothing.journal doesn't exist.",
          "main.journal:2:13: include takes one file by its name; patterns are not followed",
          "sub/a.journal:2:3: expected no indentation: there is no transaction or directive that this line could belong to",
          "sub/a.journal:3:9: ../main.journal is being read already: it would include itself"
        ]
      )
    }).pipe(Effect.provide(NodeContext.layer))
  )
})

describe("bad input", () => {
  const header = "2026-01-31 x\n"
  const table: ReadonlyArray<readonly [source: string, ...problems: ReadonlyArray<string>]> = [
    ["2026-02-30 x\n", '1:1: expected a day of the calendar, found "2026-02-30 x"'],
    [
      "2026-01/31 x\n",
      '1:1: expected the same separator "-" throughout a date such as 2026-01-31, found "2026-01/31 x"'
    ],
    ["1/31 x\n", '1:1: expected a date with its year (or a Y directive before it), found "1/31 x"'],
    ["26-01-31 x\n", '1:1: expected a date with its year (or a Y directive before it), found "26-01-31 x"'],
    ["20260131 x\n", '1:1: expected a date such as 2026-01-31, found "20260131 x"'],
    ["2026-01-31x\n", '1:11: expected a space after the date, found "x"'],
    ["2026-01-31=x\n", '1:12: expected a date such as 2026-01-31, found "x"'],
    ["2026-01-31 (17 x\n", '1:17: expected a bracket ")" to close the code, found the end of the line'],
    ["nonsense 12\n", '1:1: expected a transaction, a directive or a comment, found "nonsense 12"'],
    ["  a  1\n", "1:3: expected no indentation: there is no transaction or directive that this line could belong to"],
    [
      `${header}  a  1.2.3,4 EUR\n  b\n`,
      '2:6: expected three digits after the mark "." between groups of digits, found "1.2.3,4 EUR"'
    ],
    [
      `${header}  a  1,2,3.4,5 EUR\n  b\n`,
      '2:6: expected a number with one kind of mark between groups of digits, and another before decimals, found "1,2,3.4,5 EUR"'
    ],
    [
      `${header}  a  1,23,4 EUR\n  b\n`,
      '2:6: expected three digits after the mark "," between groups of digits, found "1,23,4 EUR"'
    ],
    [`${header}  a  -$-5\n  b\n`, '2:8: expected one sign, found "-5"'],
    [`${header}  a  $\n  b\n`, "2:7: expected a number after the commodity $, found the end of the line"],
    [`${header}  a  5 "apples\n  b\n`, '2:8: expected a closing quote after the commodity, found ""apples"'],
    [
      `${header}  a  5 EUR 3\n  b\n`,
      '2:12: expected a cost, a balance assertion, a comment or the end of the line, found "3"'
    ],
    [`${header}  a  5 EUR @\n  b\n`, "2:13: expected an amount such as 12.50 EUR, found the end of the line"],
    [`${header}  a  5 EUR = \n  b\n`, "2:14: expected an amount such as 12.50 EUR, found the end of the line"],
    [`${header}  a  (5 * 2) EUR\n  b\n`, '2:6: expected an amount such as 12.50 EUR, found "(5 * 2) EUR"'],
    [
      `${header}  a  ${"9".repeat(31)}\n  b\n`,
      `2:6: expected a number of at most 30 digits, found "${"9".repeat(24)}…"`
    ],
    [`${header}  a  1E999\n  b\n`, '2:7: expected an exponent of at most 20, found "E999"'],
    [
      `${header}  a::b  1\n  b\n`,
      '2:3: expected an account name such as assets:bank:checking, of at most 256 characters, found "a::b"'
    ],
    [
      `${header}  ünï  1 EUR x\n  b\n`,
      '2:14: expected a cost, a balance assertion, a comment or the end of the line, found "x"'
    ],
    [
      `${header}  (a)  1\n`,
      "2:3: the posting to (a) is virtual: it would make money without taking it from somewhere; write an ordinary posting instead"
    ],
    [
      `${header}  [a]  1\n  [b]  -1\n`,
      "2:3: the posting to [a] is virtual: it would make money without taking it from somewhere; write an ordinary posting instead",
      "3:3: the posting to [b] is virtual: it would make money without taking it from somewhere; write an ordinary posting instead"
    ],
    [
      `${header}  a  1\n  b\n  c\n`,
      "4:3: expected an amount: only one posting of a transaction can leave it out (two spaces stand between account and amount)"
    ],
    [`${header}  a  5 EUR\n  b  -4 EUR\n`, "1:1: the transaction is off by 1 EUR"],
    [`${header}  a  5 EUR\n  b  -4.999 EUR\n`, "1:1: the transaction is off by 0.001 EUR"],
    [`${header}  a  5 EUR\n  b  3 USD\n  c  -1 GBP\n`, "1:1: the transaction is off by 5 EUR and 3 USD and -1 GBP"],
    [
      "= expenses\n  (b)  *0.1\n",
      "1:1: an automated transaction makes postings by rule; hledger print --auto writes them out as ordinary ones"
    ],
    [
      "~ monthly\n  a  1\n  b\n",
      "1:1: a periodic transaction is a forecast, not something that happened; take it out of the journal"
    ],
    ["alias /^a/ = b\n", "1:7: an alias by regular expression is not followed; name the account"],
    ["include x.journal\n", "1:9: only a journal in a file can include another file"],
    ["commodity 1.00 EUR 3\n", '1:11: expected a sample amount such as 1,000.00 EUR, found "1.00 EUR 3"'],
    ["commodity EUR\n  format $1.00\n", "2:10: expected a sample amount in EUR"],
    ["decimal-mark ;\n", '1:14: expected a decimal mark, . or ,, found ";"'],
    ["Y 26\n", '1:3: expected a year of four digits, found "26"'],
    ["end apply account\n", "1:1: there is no apply account to end"],
    ["P 2026-01-01 USD\n", "1:17: expected an amount such as 12.50 EUR, found the end of the line"],
    ["2026-01-31 a\u0000b\n", "1:13: expected text without control characters"],
    [`; ${"x".repeat(maximumLine)}\n`, `1:${maximumLine + 1}: expected a line of at most ${maximumLine} characters`],
    [`2026-01-31 ${"x".repeat(1001)}\n`, "1:12: a description has at most 1000 characters"],
    [
      `${header}  a  = 5 EUR\n  b\n\n2026-01-01 y\n  a  1 EUR\n  b  1 EUR\n`,
      "5:1: the transaction is off by 2 EUR",
      "2:6: the amount that leads to this balance isn't known, as an earlier transaction was refused"
    ]
  ]

  for (const [source, ...expected] of table) {
    it(`${JSON.stringify(source).slice(0, 60)}`, () => {
      assert.deepStrictEqual(
        problems(source),
        expected.map((problem) => `test.journal:${problem}`)
      )
    })
  }

  it("is collected, each mistake once, and the rest is still read", () => {
    const journal = JournalReader.parse(
      "test.journal",
      lines(
        "2026-01-31 x",
        "  a  5 EUR EUR",
        "  (b)  -5 EUR",
        "2026-99-31 y",
        "  a  ?",
        "",
        "2026-01-31 fine",
        "  a  1",
        "  b"
      )
    )
    assert.deepStrictEqual(
      journal.problems.map(({ column, line }) => [line, column]),
      [
        [2, 12],
        [3, 3],
        [4, 1]
      ]
    )
    assert.deepStrictEqual(
      journal.entries.map((entry) => entry.description),
      ["fine"]
    )
  })

  it("is listed up to a bound", () => {
    assert.lengthOf(problems("?\n".repeat(100_000)), maximumProblems)
  })

  it("takes no more than linear time, whatever it is", () => {
    const size = 200_000
    const hostile = [
      "(".repeat(9_999),
      " ".repeat(9_999) + "x",
      "2026-01-31 " + "(".repeat(9_000),
      "  a  " + "1,".repeat(4_900),
      "  a  " + '"'.repeat(9_900),
      "  a  5 X " + "{".repeat(9_900),
      "  " + "a:".repeat(4_900)
    ]
    const started = process.cpuUsage()
    for (const line of hostile) problems(`2026-01-31 x\n${`${line}\n`.repeat(Math.ceil(size / line.length))}`)
    problems("\n".repeat(size))
    problems(lines("2026-01-31 x", ...Array.from({ length: 50_000 }, (_, index) => `  a${index}  1 EUR`)))
    // Of the processor, not the clock: other work on the machine is not the scanner's fault.
    assert.isBelow(process.cpuUsage(started).user, 10_000_000, "microseconds")
  })
})
