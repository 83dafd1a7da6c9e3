import { builtinModules } from "node:module"
import tseslint from "typescript-eslint"

const message = {
  time: "Time comes from Effect's Clock (or from the input of a step), so that a test or a simulator can set it.",
  random: "Randomness comes from Effect's Random (or from a seed), so that a run can be repeated.",
  timer: "Wait with Effect.sleep or a Schedule, so that a test or a simulator can move time.",
  pure: "The protocol is plain functions: only effect's data modules and files of this package may be imported here.",
  namespace: 'Packages import modules, not the barrel: import * as Effect from "effect/Effect".'
}

const globals = [
  ...["Date", "performance"].map((name) => ({ name, message: message.time })),
  ...["setTimeout", "setInterval"].map((name) => ({ name, message: message.timer })),
  { name: "crypto", message: message.random }
]

/** Modules of effect that hold data and plain functions: no runtime, no service, no clock, no dice. */
const data = [
  ...["Array", "BigDecimal", "BigInt", "Boolean", "Brand", "Chunk", "Data", "Duration", "Either", "Encoding", "Equal"],
  ...[
    "Equivalence",
    "Function",
    "Hash",
    "HashMap",
    "HashSet",
    "Iterable",
    "List",
    "Match",
    "Number",
    "Option",
    "Order"
  ],
  ...["Ordering", "ParseResult", "Pipeable", "Predicate", "Record", "RedBlackTree", "Schema", "SortedMap", "SortedSet"],
  ...["String", "Struct", "Tuple", "Types"]
]

const imports = {
  barrel: { name: "effect", message: message.namespace },
  time: ["node:timers", "node:timers/promises", "timers", "timers/promises", "node:perf_hooks", "perf_hooks"].map(
    (name) => ({ name, message: message.timer })
  ),
  random: ["node:crypto", "crypto"].map((name) => ({
    name,
    importNames: ["randomUUID", "randomBytes", "randomInt", "randomFill", "randomFillSync", "getRandomValues"],
    message: message.random
  }))
}

const noNode = builtinModules.map((name) => ({ name, message: "This package runs wherever JavaScript does." }))

export default tseslint.config(
  { ignores: ["**/dist/", "**/node_modules/", "**/.turbo/", "**/coverage/", "**/.generated/"] },
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  {
    name: "synod/everywhere",
    files: ["**/*.ts", "**/*.js", "**/*.cjs"],
    languageOptions: { parser: tseslint.parser },
    plugins: { "@typescript-eslint": tseslint.plugin },
    rules: {
      eqeqeq: "error",
      "no-debugger": "error",
      "no-empty": "error",
      "no-var": "error",
      "no-warning-comments": ["error", { terms: ["todo", "fixme", "xxx"] }],
      "object-shorthand": "error",
      "prefer-const": "error"
    }
  },
  {
    // The compiler reports what is unused in TypeScript.
    name: "synod/javascript",
    files: ["**/*.js", "**/*.cjs"],
    rules: { "no-unused-vars": "error" }
  },
  {
    name: "synod/typescript",
    files: ["**/*.ts"],
    // One program over all sources and tests: a third less work than one for each project.
    languageOptions: { parserOptions: { project: "./tsconfig.lint.json", tsconfigRootDir: import.meta.dirname } },
    rules: {
      "no-restricted-syntax": [
        "error",
        { selector: "TSAsExpression > TSAnyKeyword", message: "Say which type it is; `any` switches the checks off." }
      ],
      "@typescript-eslint/await-thenable": "error",
      "@typescript-eslint/ban-ts-comment": "error",
      "@typescript-eslint/consistent-type-imports": ["error", { disallowTypeAnnotations: false }],
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-import-type-side-effects": "error",
      "@typescript-eslint/no-misused-promises": "error"
    }
  },
  {
    name: "synod/packages",
    files: ["packages/**/*.ts"],
    rules: {
      "no-console": "error",
      "no-restricted-globals": ["error", ...globals],
      "no-restricted-properties": [
        "error",
        { object: "Math", property: "random", message: message.random },
        ...["globalThis", "global"].flatMap((object) =>
          globals.map(({ message, name: property }) => ({ object, property, message }))
        ),
        { object: "process", property: "hrtime", message: message.time }
      ]
    }
  },
  {
    // The one place that may name them, since it takes them away.
    name: "synod/guard",
    files: ["packages/simulator/src/Guard.ts"],
    rules: { "no-restricted-globals": "off", "no-restricted-properties": "off" }
  },
  {
    name: "synod/packages/src",
    files: ["packages/*/src/**/*.ts"],
    rules: {
      "no-restricted-imports": ["error", { paths: [imports.barrel, ...imports.time, ...imports.random] }]
    }
  },
  {
    name: "synod/state-machine",
    files: ["packages/state-machine/src/**/*.ts"],
    rules: {
      "no-restricted-imports": [
        "error",
        { paths: [imports.barrel, ...noNode], patterns: [{ group: ["node:*"], message: noNode[0].message }] }
      ]
    }
  },
  {
    name: "synod/paxos",
    files: ["packages/paxos/src/**/*.ts"],
    rules: {
      "no-restricted-globals": [
        "error",
        ...globals,
        ...["Buffer", "fetch", "process", "queueMicrotask", "setImmediate", "WebSocket"].map((name) => ({
          name,
          message: message.pure
        }))
      ],
      "no-restricted-imports": [
        "error",
        { patterns: [{ regex: `^(?!\\./[A-Za-z/]+\\.js$|effect/(${data.join("|")})$)`, message: message.pure }] }
      ]
    }
  }
)
