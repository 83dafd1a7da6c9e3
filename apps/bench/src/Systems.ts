/**
 * The systems that are measured, in the order of the table. The first is the limit that the others are held against.
 */
import { Bare } from "./bare/Bare.js"
import { Etcd, EtcdNode } from "./peers/etcd/Etcd.js"
import { Raft } from "./peers/raft/Raft.js"
import { ZooKeeper } from "./peers/zookeeper/ZooKeeper.js"
import { Synod } from "./synod/Synod.js"
import type { System } from "./System.js"

export const limit: System = Bare

export { Bare, Etcd, EtcdNode, Raft, Synod, ZooKeeper }

export const systems: ReadonlyArray<System> = [limit, Synod, Raft, Etcd, EtcdNode, ZooKeeper]

/** As a command line calls it: hashicorp-raft, etcd-go. */
export const nameOf = ({ name }: System): string =>
  name
    .toLowerCase()
    .match(/[a-z]+/g)!
    .join("-")

export const names: ReadonlyArray<string> = systems.map(nameOf)
