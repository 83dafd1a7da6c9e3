/**
 * Where a server listens, as people write it.
 *
 * @since 0.1.0
 */

/**
 * @since 0.1.0
 * @category models
 */
export interface Place {
  readonly host: string
  readonly port: number
}

/**
 * `HOST:PORT`, such as `10.0.0.1:7000` or `[::1]:7000`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const parse = (text: string): Place | undefined => {
  const [, host, port] = /^(\[[^\]]{1,64}\]|[^:]{1,255}):(\d{1,5})$/.exec(text) ?? []
  return host === undefined || Number(port) > 65_535
    ? undefined
    : { host: host.replace(/^\[|\]$/g, ""), port: Number(port) }
}

/**
 * What {@link parse} reads.
 *
 * @since 0.1.0
 * @category getters
 */
export const format = ({ host, port }: Place): string => (host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`)
