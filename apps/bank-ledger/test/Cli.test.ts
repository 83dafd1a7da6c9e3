/**
 * The command line on a bank in this process: what goes to standard output, what a person is told, what fails.
 */
import { NodeContext } from "@effect/platform-node"
import { FileSystem, Path } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { SqliteJournal } from "@synod/journal"
import { Ballot, Entry, Epoch, NodeId, Slot } from "@synod/paxos"
import { Console, Effect, Either, Fiber, Layer, Queue } from "effect"
import { Bank } from "../src/Bank.js"
import * as Cli from "../src/cli/Cli.js"
import * as Progress from "../src/cli/Progress.js"
import * as Reports from "../src/cli/Reports.js"
import { BankTest, id, transaction } from "./fixtures.js"

/** Runs commands against one bank; gives what each printed, or the message it failed with. */
const session = (files: Readonly<Record<string, string>>) =>
  Effect.gen(function* () {
    const disk = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const caller = yield* Bank.caller
    const directory = yield* disk.makeTempDirectoryScoped()
    for (const [name, text] of Object.entries(files)) yield* disk.writeFileString(path.join(directory, name), text)
    const run = Cli.make(() => Layer.succeed(Bank.caller, caller))
    return (...args: ReadonlyArray<string>) =>
      Effect.gen(function* () {
        const printed: Array<string> = []
        const defaultConsole = yield* Console.consoleWith(Effect.succeed)
        const recording: Console.Console = {
          ...defaultConsole,
          log: (...texts) => Effect.sync(() => void printed.push(texts.join(" "))),
          error: () => Effect.void
        }
        const argv = args.map((arg) => (arg in files ? path.join(directory, arg) : arg))
        const result = yield* Effect.either(run(["node", "bank-ledger", ...argv]).pipe(Effect.withConsole(recording)))
        const failed = Either.match(result, {
          onLeft: (error) => ["failed:", "message" in error ? String(error.message) : error._tag],
          onRight: () => []
        })
        return [...printed, ...failed].join("\n").replaceAll(`${directory}/`, "")
      })
  })

const layer = Layer.mergeAll(BankTest, NodeContext.layer, Progress.layerSilent)

const good = "2026-01-31 Café | breakfast\n  expenses:food  1,234.50 EUR\n  assets:cash\n\n2026-02-01 y\n  a  $3\n  b\n"
const bad = "2026-01-31 x\n  a  1 EUR\n  b  2 EUR\n\n2026-01-31 fine\n  a  7 EUR\n  b\n"

describe("import", () => {
  it.scoped("posts files, says so, and posts them once", () =>
    Effect.gen(function* () {
      const run = yield* session({
        "good.journal": good,
        "t.csv": "txnidx,date,description,account,amount,commodity\n"
      })
      assert.strictEqual(yield* run("import", "good.journal", "t.csv"), "Imported 2 transactions.")
      assert.strictEqual(yield* run("import", "good.journal"), "Imported 0 transactions; 2 had been imported before.")
      assert.strictEqual(
        yield* run("balance"),
        [
          "                  $3  a",
          "       -1,234.50 EUR  assets:cash",
          "                 $-3  b",
          "        1,234.50 EUR  expenses:food",
          "--------------------",
          "                   0  "
        ].join("\n")
      )
      assert.strictEqual(
        yield* run("statement", "assets:cash"),
        "      1  2026-01-31  Café | breakfast                                 -1,234.50 EUR         -1,234.50 EUR"
      )
    }).pipe(Effect.provide(layer))
  )

  it.scoped("posts nothing at all if anything is wrong, unless told to keep going", () =>
    Effect.gen(function* () {
      const run = yield* session({ "good.journal": good, "bad.journal": bad })
      assert.strictEqual(
        yield* run("import", "good.journal", "bad.journal"),
        "failed:\nbad.journal:1:1: the transaction is off by 3 EUR\n" +
          "Nothing was imported because of 1 problem; with --keep-going, what is in order is."
      )
      assert.include(yield* run("balance"), "                   0  ")
      assert.strictEqual(
        yield* run("import", "bad.journal", "--keep-going"),
        "Imported 1 transaction.\nfailed:\nbad.journal:1:1: the transaction is off by 3 EUR\nNot imported because of 1 problem."
      )
      assert.include(yield* run("balance"), "               7 EUR  a\n")
    }).pipe(Effect.provide(layer))
  )

  it.scoped("can refuse to take accounts below zero", () =>
    Effect.gen(function* () {
      const run = yield* session({ "good.journal": good })
      assert.strictEqual(
        yield* run("import", "--overdraft", "none", "good.journal"),
        "Imported 0 transactions.\nfailed:\ngood.journal:1:1: Account assets:cash can give 0 EUR, not 1234.5 EUR.\n" +
          "Not imported because of 1 problem, and 1 transaction after it."
      )
    }).pipe(Effect.provide(layer))
  )
})

describe("statement", () => {
  it.scoped("goes on behind a line, and with --follow with each line that comes", () =>
    Effect.gen(function* () {
      const bank = yield* Bank.client
      const run = yield* session({ "good.journal": good })
      yield* run("import", "good.journal")
      assert.strictEqual(yield* run("statement", "--after", "1", "assets:cash"), "")
      const lines = yield* Queue.unbounded<string>()
      const recording: Console.Console = {
        ...(yield* Console.consoleWith(Effect.succeed)),
        log: (text: string) => Queue.offer(lines, text)
      }
      const follow = (after: number) =>
        Effect.fork(Reports.statement("assets:cash", { after, follow: true }).pipe(Effect.withConsole(recording)))
      const pay = (n: number) =>
        bank.PostTransaction({
          id: id(`${n}`),
          transaction: transaction(["assets:cash", `${n} EUR`], ["b", `-${n} EUR`])
        })
      const first = yield* follow(0)
      assert.include(yield* Queue.take(lines), "      1  2026-01-31  Café | breakfast")
      yield* pay(2)
      assert.match(yield* Queue.take(lines), /^ {6}2 .* 2\.00 EUR .* -1,232\.50 EUR$/)
      yield* pay(3)
      assert.match(yield* Queue.take(lines), /^ {6}3 /)
      yield* Fiber.interrupt(first)
      yield* pay(4)
      const second = yield* follow(3)
      assert.match(yield* Queue.take(lines), /^ {6}4 /)
      yield* Fiber.interrupt(second)
      assert.strictEqual(yield* Queue.size(lines), 0)
    }).pipe(Effect.provide(layer))
  )
})

describe("check", () => {
  it.scoped("reads, and asks nothing of the bank", () =>
    Effect.gen(function* () {
      const run = yield* session({ "good.journal": good, "bad.journal": bad })
      assert.strictEqual(yield* run("check", "good.journal"), "2 transactions in order.")
      assert.include(yield* run("check", "bad.journal"), "Found 1 problem.")
      assert.strictEqual(yield* run("check", "/nowhere/x.journal"), "failed:\n/nowhere/x.journal doesn't exist.")
      assert.strictEqual(yield* run("check", "/"), "failed:\n/ is a directory, not a file.")
      assert.include(yield* run("check", "--format", "csv", "good.journal"), "expected a header with the columns")
    }).pipe(Effect.provide(layer))
  )
})

describe("what can't be shown", () => {
  it.scoped("is said in one sentence", () =>
    Effect.gen(function* () {
      const run = yield* session({})
      assert.strictEqual(yield* run("statement", "nobody"), "failed:\nThere is no account nobody.")
      assert.strictEqual(yield* run("statement", "a::b"), 'failed:\n"a::b" is not the name of an account.')
      assert.include(yield* run("frobnicate"), "failed:")
    }).pipe(Effect.provide(layer))
  )
})

describe("progress", () => {
  const drawn = (isTTY: boolean, steps: number) =>
    Effect.gen(function* () {
      const written: Array<string> = []
      const stream = { isTTY, write: (text: string) => void written.push(text) }
      const progress = yield* Effect.provide(Progress.Progress, Progress.layer(stream))
      const step = yield* progress.start("Importing", steps)
      yield* Effect.repeatN(step, steps - 1)
      return written
    })

  it.effect("is a line every tenth where there is no terminal", () =>
    Effect.gen(function* () {
      const lines = yield* drawn(false, 1000)
      assert.lengthOf(lines, 10)
      assert.include(lines[4], "500/1000")
    })
  )

  it.effect("is redrawn in place on a terminal, no more often than it can be seen", () =>
    Effect.gen(function* () {
      const written = yield* drawn(true, 1000)
      assert.lengthOf(written, 1)
      assert.match(written[0]!, /^\rImporting {2}█+ {2}1000\/1000\n$/)
    })
  )
})

describe("recover", () => {
  /** The journal of one of three, as it was left behind. */
  const leave = (filename: string) =>
    Effect.scoped(
      Effect.gen(function* () {
        const voters = [1, 2, 3].map(NodeId.make)
        const incarnations = voters.map((node) => ({ node, incarnation: `old ${node}` }))
        const epochs = Epoch.founded({ voters, learners: [], quorums: { _tag: "Majority" } }, incarnations)
        const ballot = Ballot.make(1, voters[0]!)
        const at = Slot.make(2)
        const state = {
          ...{ epochs, promised: ballot, acceptedBallot: ballot, acceptedThrough: at },
          ...{ chosenThrough: Slot.make(1), trimmedThrough: Slot.zero }
        }
        const entries = [1, 2].map((time) => Entry.commands(time, new Uint8Array()))
        const journal = yield* SqliteJournal.make({ filename, cluster: "bank", node: voters[2]! })
        yield* journal.write({ state, after: Slot.zero, entries })
      })
    )

  it.scoped("reports, does nothing without consent, and makes a new journal with it", () =>
    Effect.gen(function* () {
      const disk = yield* FileSystem.FileSystem
      const path = yield* Path.Path
      const directory = yield* disk.makeTempDirectoryScoped()
      const [left, made] = [path.join(directory, "3.sqlite"), path.join(directory, "new.sqlite")]
      yield* leave(left)
      const run = yield* session({})
      const recover = (...more: ReadonlyArray<string>) =>
        run("recover", "--survivors", `3=${left}`, "--journal", made, ...more)
      const report = [
        "Of epoch 1 node 3 is left, and nodes 1, 2 are gone; node 3 has come furthest.",
        "What was chosen in slot 1 is there, and nothing of it is lost.",
        "In slot 2 stands what node 3 accepted: nobody left knows whether it was chosen, or something else in its place. It is taken.",
        "Every slot behind 2 may be missing: what clients were told of commands there is not true any more."
      ].join("\n")
      const asked = 'Whoever accepts that consents by typing the cluster\'s name, which is "bank".'
      assert.strictEqual(yield* recover(), `failed:\n${report}\nNothing was done. ${asked}`)
      assert.isFalse(yield* disk.exists(made))
      const done = yield* recover("--consent", "bank")
      assert.isTrue(done.startsWith(`${report}\nThe new cluster is bank~`), done)
      const [, cluster] = /The new cluster is (\S+), with node 3 as its only member/.exec(done) ?? []
      const node = NodeId.make(3)
      const { recovered } = yield* SqliteJournal.make({ filename: made, cluster: cluster!, node })
      assert.deepStrictEqual([recovered.epochs.present.number, recovered.chosenThrough], [2, 3])
      assert.strictEqual(yield* recover("--consent", "bank"), `failed:\n${made} exists already: name a new file.`)
      assert.strictEqual(
        yield* run("recover", "--survivors", `3=${left}x`, "--journal", `${made}2`),
        `failed:\nThere is no journal ${left}x.`
      )
    }).pipe(Effect.provide(layer))
  )
})
