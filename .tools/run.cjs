// `npm start` and `npm test` enter here. Written so that any Node can read it and say that it is too old.
var found = process.versions.node
var parts = found.split(".")
if (Number(parts[0]) * 100 + Number(parts[1]) < 2015) {
  console.error("Synod needs Node 20.15 or later, and this is Node " + found + ".")
  process.exit(1)
}
import("./" + process.argv[2] + ".js")
  .then(function (command) {
    return command.main(process.argv.slice(3))
  })
  .then(
    function (code) {
      process.exitCode = code
    },
    function (error) {
      console.error(error)
      process.exitCode = 1
    }
  )
