/**
 * ZooKeeper 3 as it is installed, with the settings of its own example: every batch is in its log and flushed before it is
 * acknowledged (`forceSync`), and a read comes behind a sync.
 */
import { Effect, Schedule } from "effect"
import * as Fs from "node:fs"
import * as Net from "node:net"
import * as Path from "node:path"
import { Sample } from "../../Load.js"
import { freePorts, host } from "../../Ports.js"
import { places, type System, SystemFailed } from "../../System.js"
import * as Worker from "../../Worker.js"
import { installed } from "../Installed.js"
import * as Servers from "../Servers.js"

const name = "zookeeper"
const jar = "/usr/share/java/zookeeper.jar"

export const ZooKeeper: System = {
  name,
  lacks: () => installed(name, "java", "zookeeper") ?? installed(name, jar, "zookeeper"),
  offers: (client) => client === "remote",
  start: ({ directory, profiles }) =>
    Effect.gen(function* () {
      const ports = yield* freePorts(9)
      const ensemble = places.map((i) => `server.${i + 1}=${host}:${ports[3 + i]!}:${ports[6 + i]!}`)
      const servers = yield* Servers.start(name, (i) => {
        const home = Path.join(directory, `${name}-${i + 1}`)
        const data = Path.join(home, "data")
        Fs.mkdirSync(data, { recursive: true })
        Fs.writeFileSync(Path.join(data, "myid"), `${i + 1}\n`)
        const own = [`dataDir=${data}`, `clientPort=${ports[i]!}`, `clientPortAddress=${host}`, "maxClientCnxns=0"]
        const config = ["tickTime=2000", "initLimit=10", "syncLimit=5", ...own, ...ensemble]
        Fs.writeFileSync(Path.join(home, "zoo.cfg"), `${config.join("\n")}\n`)
        const properties = ["zookeeper.4lw.commands.whitelist=srvr", "zookeeper.admin.enableServer=false"]
        return {
          command: "java",
          args: [
            ...properties.map((property) => `-D${property}`),
            ...["-Xmx512m", "-cp", jar, "org.apache.zookeeper.server.quorum.QuorumPeerMain", "zoo.cfg"]
          ],
          directory: home
        }
      })
      const clientPorts = ports.slice(0, 3)
      const port = ports[yield* leaderOf(clientPorts)]!
      const remote = yield* Worker.start({
        ...{ system: name, program: "peers/zookeeper/client", profiles },
        settings: { host, port, ports: clientPorts }
      })
      yield* remote.ask("prepared")
      return {
        measure: (_client, load) => Effect.flatMap(remote.ask("measure", load), Worker.decode(Sample)),
        processes: servers.processes,
        clients: [remote.pid],
        members: Servers.members(servers, leaderOf(clientPorts), remote)
      }
    })
}

/** The server that leads, as it says of itself; one does some seconds after the start. */
const leaderOf = (ports: ReadonlyArray<number>): Effect.Effect<number, SystemFailed> =>
  Effect.findFirst(places, (i) => Effect.map(told(ports[i]!), (text) => text.includes("Mode: leader"))).pipe(
    Effect.flatten,
    Effect.retry(Schedule.intersect(Schedule.spaced("200 millis"), Schedule.recurs(150))),
    Effect.mapError(() => new SystemFailed({ system: name, reason: "no server leads after 30 seconds" }))
  )

/** What the server on this port says of itself. */
const told = (port: number): Effect.Effect<string> =>
  Effect.async<string>((resume) => {
    let text = ""
    const socket = Net.connect({ host, port }, () => socket.end("srvr"))
    socket.setEncoding("utf8")
    socket.on("data", (chunk: string) => (text += chunk))
    socket.on("error", () => undefined)
    socket.on("close", () => resume(Effect.succeed(text)))
    return Effect.sync(() => socket.destroy())
  })
