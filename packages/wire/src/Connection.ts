/**
 * What a protocol needs of a connection, so that it doesn't need to know what carries it. `Tcp` makes them of sockets; a
 * WebSocket or a pair of buffers in a test can be one.
 *
 * @since 0.1.0
 */

/**
 * An open connection: bytes in order, both ways. Nothing here waits and nothing throws.
 *
 * @since 0.1.0
 * @category models
 */
export interface Connection {
  /** The other end, as it is named in a log line: `host:port`. */
  readonly peer: string
  /** Hands bytes over to be sent. `false`: enough is on its way, wait for {@link Events.onDrain}. */
  readonly write: (bytes: Uint8Array) => boolean
  /** Sends what was written and then says that no more will come. {@link Events.onClose} follows once the other end does the same. */
  readonly end: () => void
  /** Closes at once, whatever is still on its way. {@link Events.onClose} follows. */
  readonly destroy: () => void
}

/**
 * What a connection tells the protocol that owns it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Events {
  readonly onData: (chunk: Uint8Array) => void
  readonly onDrain: () => void
  /** The connection is gone; called once and last. `why`: what the system said, if it was no orderly end. */
  readonly onClose: (why: string | undefined) => void
}
