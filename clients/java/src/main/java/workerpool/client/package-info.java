/**
 * The client of a workerpool: {@link workerpool.client.Workerpool} calls it, {@link workerpool.client.WorkerpoolException}
 * tells why a call failed and what to do. The packages {@code workerpool.<service>.v1} hold the generated messages and
 * stubs.
 */
package workerpool.client;
