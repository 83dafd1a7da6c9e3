/** What a new leader adopts, how logs are made equal, and what counts as chosen. */
import type { Mutant } from "./Mutant.js"

const acceptor = "packages/paxos/src/Acceptor.ts"
const follower = "packages/paxos/src/Follower.ts"
const leader = "packages/paxos/src/Leader.ts"
const proposer = "packages/paxos/src/Proposer.ts"

export const logs: ReadonlyArray<Mutant> = [
  {
    name: "any-log-adopted",
    bug: "A new leader goes on with its own log and not with the one of the highest accepted ballot (Paxos Made Simple, 2.2, phase 2a).",
    edits: [{ file: proposer, find: "      Follower.isNewer(candidate[1], best[1]) ||\n", replace: "" }],
    tier: "core"
  },
  {
    name: "longer-log-adopted",
    bug: "The longest log is adopted, whatever the ballot it was accepted at. Raft, 5.4.1, compares terms first for this reason.",
    edits: [
      {
        file: follower,
        find: "  return order === 0 ? a.acceptedThrough > b.acceptedThrough : order > 0",
        replace: "  return a.acceptedThrough === b.acceptedThrough ? order > 0 : a.acceptedThrough > b.acceptedThrough"
      }
    ],
    tier: "core"
  },
  {
    name: "old-votes-counted",
    bug: "What an acceptor holds from an older ballot counts as its vote for the new one: figure 8 of the Raft paper (5.4.2).",
    edits: [
      {
        file: follower,
        find: '  return { ...unknown, mode: "Probing", agreed,',
        replace: '  return { ...unknown, mode: "Probing", matched: agreed, agreed,'
      }
    ],
    tier: "core"
  },
  {
    name: "agreement-by-length",
    bug: "Two logs of different ballots are taken to agree as far as both reach.",
    edits: [
      {
        file: follower,
        find: "    : held.chosenThrough",
        replace: "    : Slot.max(held.chosenThrough, Slot.min(held.acceptedThrough, adopted.acceptedThrough))"
      }
    ],
    tier: "core"
  },
  {
    name: "replaced-suffix-kept",
    bug: "The first Accept of a ballot overwrites what it brings, and what stands behind it stays. Raft, 5.3: a conflicting entry goes with all that follow it.",
    edits: [
      {
        file: acceptor,
        find: `{ after, entries }: News, options: Options): Next => {
  const log = Log.append(Log.truncate(self.log, after), entries)`,
        replace: `{ after, entries: news }: News, options: Options): Next => {
  const end = Slot.plus(after, news.length)
  const entries = end < self.log.through ? [...news, ...Log.slice(self.log, end)] : news
  const log = Log.append(Log.truncate(self.log, after), entries)`
      }
    ],
    tier: "core"
  },
  {
    name: "old-message-truncates",
    bug: "An Accept that comes late cuts the log off behind what it brings, a mistake that Raft's AppendEntries invites.",
    edits: [
      {
        file: acceptor,
        find: `  const fresh = message.entries.slice(self.log.through - message.after)
  const log = Log.append(self.log, fresh)
  const state: State = { ...self, log, chosenThrough: believed(self, message, log) }
  const answer = accepted(state, message, log.through, options)
  return fresh.length === 0
    ? finish(self, state, options, answer)
    : finish(self, state, options, persist(state, self.log.through, fresh), answer)`,
        replace: `  const after = Slot.max(message.after, self.chosenThrough)
  const fresh = message.entries.slice(after - message.after)
  const log = Log.append(Log.truncate(self.log, after), fresh)
  const state: State = { ...self, log, chosenThrough: believed(self, message, log) }
  const answer = accepted(state, message, log.through, options)
  return fresh.length === 0 && log.through === self.log.through
    ? finish(self, state, options, answer)
    : finish(self, state, options, persist(state, after, fresh), answer)`
      }
    ],
    tier: "core"
  },
  {
    name: "gap-accepted",
    bug: "Entries that do not join on to the log are put at its end: the consistency check of Raft, 5.3, or our sequence, is missing.",
    edits: [
      {
        file: acceptor,
        find: "  if (!joinsOn) return reject(self, message.ballot)\n",
        replace:
          "  if (!joinsOn) return synchronised ? extend(self, { ...message, after: self.log.through }, options) : reject(self, message.ballot)\n"
      }
    ],
    tier: "core"
  },
  {
    name: "half-of-what-was-adopted",
    bug: "The first piece of a long log makes the acceptor report the new ballot, with a log that lacks what older ballots may have chosen: entries that are only learned count as accepted.",
    edits: [
      {
        file: acceptor,
        find: "  if (end >= message.adopted.acceptedThrough) return synchronise(self, message, news, options)",
        replace: "  if (end >= self.chosenThrough) return synchronise(self, message, news, options)"
      }
    ],
    tier: "core"
  },
  {
    name: "watermark-beyond-verified",
    bug: "The leader's watermark is believed as far as the log reaches, also where the log is of an older ballot. Raft, figure 2, bounds it by the last new entry.",
    edits: [
      {
        file: acceptor,
        find: "  const { state, tail } = withChosen(self, news)",
        replace: `  const { state: known, tail } = withChosen(self, news)
  const state: State = { ...known, chosenThrough: believed(self, message, known.log) }`
      }
    ],
    tier: "core"
  },
  {
    name: "own-vote-before-durable",
    bug: "The leader counts its own vote when it proposes, before its own journal has it. The Raft thesis, 10.2.1, allows to write in parallel, and not to count.",
    edits: [
      {
        file: leader,
        find: "  return Replication.everyone({ ...self, log, stops, lease }, options)",
        replace: `  const own = self.followers.get(options.self)!
  const matched = own.mode === "Streaming" ? log.through : own.matched
  return Replication.everyone(Leading.withFollower({ ...self, log, stops, lease }, options.self, { ...own, matched }), options)`
      }
    ],
    tier: "core"
  },
  {
    name: "answer-of-another-ballot",
    bug: "An Accepted of an older ballot of the same node, late or repeated, is counted for the one it leads with now.",
    edits: [
      {
        file: proposer,
        find: '  if (self._tag === "Following" || !Ballot.equals(message.ballot, self.ballot)) return Step.make(self)',
        replace: '  if (self._tag === "Following") return Step.make(self)'
      }
    ],
    tier: "core",
    rates: { delay: 0.2, pause: 1 }
  },
  {
    name: "piece-adopted-twice",
    bug: "A piece of the log to adopt that comes twice is appended twice, and everything behind it moves.",
    edits: [
      {
        file: proposer,
        find: "  if (message.after !== self.adopting.log.through) return Step.make(self)\n",
        replace: ""
      }
    ],
    tier: "core"
  },
  {
    name: "retransmission-missing",
    bug: "What was lost is never sent again: the proposer takes the network for reliable.",
    edits: [
      {
        file: follower,
        find: "  due !== undefined &&\n  isJoined(mode) &&",
        replace: "  due === undefined &&\n  isJoined(mode) &&\n  due !== undefined &&"
      }
    ],
    tier: "core"
  }
]
