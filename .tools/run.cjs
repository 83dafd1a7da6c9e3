// `npm start` and `npm test` enter here: CommonJS without imports, so that an old Node can read it and say that it is old.
const [major, minor] = process.versions.node.split(".").map(Number)
if (major < 20 || (major === 20 && minor < 15)) {
  console.error(`Synod needs Node 20.15 or later, and this is Node ${process.versions.node}.`)
  process.exit(1)
}
import(`./${process.argv[2]}.js`)
  .then((command) => command.main(process.argv.slice(3)))
  .then(
    (code) => {
      process.exitCode = code
    },
    (error) => {
      console.error(error)
      process.exitCode = 1
    }
  )
