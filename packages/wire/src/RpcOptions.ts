/**
 * How `@effect/rpc` is to be used over this wire.
 *
 * @since 0.1.0
 */

/**
 * For `RpcServer.layer(group, RpcOptions.server)`: a handler that dies fails its own request only; requests are begun in
 * the order they were sent and none waits for another; no span a request (it would cost more than the request).
 *
 * @since 0.1.0
 * @category constants
 */
export const server = { disableTracing: true, disableFatalDefects: true, concurrency: "unbounded" } as const

/**
 * For `RpcClient.make(group, RpcOptions.client)`: no span a request.
 *
 * @since 0.1.0
 * @category constants
 */
export const client = { disableTracing: true } as const
