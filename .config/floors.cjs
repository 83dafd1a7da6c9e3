/**
 * The floor plan: a package imports only from floors below its own. A new package gets its floor here, else the gate
 * refuses it.
 */
const floors = [
  ["paxos"],
  ["journal", "state-machine", "wire"],
  ["client", "sql-machine"],
  ["register", "replica"],
  ["simulator"]
]

const anyOf = (names) => `^packages/(${names.join("|")})/`

/** @type {import("dependency-cruiser").IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: "no-circle",
      comment: "Modules that need each other are one module, or miss a third one below them.",
      severity: "error",
      from: {},
      to: { circular: true }
    },
    ...floors.map((names, floor) => ({
      name: `floor-${floor}`,
      comment: `${names.join(", ")}: may import only from floors below ${floor}.`,
      severity: "error",
      from: { path: `${anyOf(names).slice(0, -1)}/src/` },
      // The package itself is always allowed: `$1` is the name that `from` matched.
      to: { path: anyOf(floors.slice(floor).flat()), pathNot: "^packages/$1/" }
    })),
    {
      name: "every-package-has-a-floor",
      comment: "Give the package a floor in .config/floors.cjs.",
      severity: "error",
      from: { path: "^packages/", pathNot: anyOf(floors.flat()) },
      to: {}
    },
    {
      name: "apps-are-the-top",
      comment: "Nothing imports from an app but the app itself and its tests.",
      severity: "error",
      from: { path: "^packages/" },
      to: { path: "^apps/" }
    },
    {
      name: "apps-are-apart",
      comment: "An app does not import from another app.",
      severity: "error",
      from: { path: "^apps/([^/]+)/" },
      to: { path: "^apps/", pathNot: "^apps/$1/" }
    },
    {
      name: "through-the-front-door",
      comment: "Another package is imported by its name (@synod/x), never by a path into its folder or its internals.",
      severity: "error",
      from: { path: "^(packages|apps)/([^/]+)/" },
      // A suite that every driver has to pass stands with the contract, and tests of drivers elsewhere run it.
      to: { path: "^(packages|apps)/", pathNot: ["^$1/$2/", "/test/[A-Za-z]+Suite[.]ts$"], dependencyTypes: ["local"] }
    },
    {
      name: "no-internals",
      comment: "src/internal of another package may change at any time.",
      severity: "error",
      from: { path: "^(packages|apps)/([^/]+)/" },
      to: { path: "^(packages|apps)/[^/]+/src/internal/", pathNot: "^$1/$2/" }
    },
    {
      name: "sources-need-no-tests",
      comment: "src is published, test is not.",
      severity: "error",
      from: { path: "/src/" },
      to: { path: "^(packages/[^/]+/|apps/[^/]+/|)test/" }
    },
    {
      name: "resolvable",
      comment: "The import leads nowhere: a misspelt path, or a module that its package does not export.",
      severity: "error",
      from: {},
      to: { couldNotResolve: true }
    },
    {
      name: "declared",
      comment: "What src imports from outside stands in its own package.json, as a dependency or a peer dependency.",
      severity: "error",
      from: { path: "^(packages|apps)/[^/]+/src/" },
      to: { dependencyTypes: ["npm-no-pkg", "npm-unknown", "npm-dev"] }
    }
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^(packages|apps)/[^/]+/(dist|\\.turbo|node_modules)/" },
    // Imports of types alone count too: a type is a dependency of whoever reads the file.
    tsPreCompilationDeps: true,
    combinedDependencies: false,
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["source", "import", "node", "default"] }
  }
}
