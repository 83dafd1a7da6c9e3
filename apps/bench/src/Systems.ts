/**
 * The systems that are measured, in the order of the table. The first is the limit that the others are held against.
 */
import { Bare } from "./bare/Bare.js"
import { Etcd } from "./peers/etcd/Etcd.js"
import { ZooKeeper } from "./peers/zookeeper/ZooKeeper.js"
import { Synod } from "./synod/Synod.js"
import type { System } from "./System.js"

export const limit: System = Bare

export { Synod }

export const systems: ReadonlyArray<System> = [limit, Synod]

/** What people would take instead. */
export const peers: ReadonlyArray<System> = [Etcd, ZooKeeper]
