import { BlockList, isIP } from "node:net";

import { Code } from "@connectrpc/connect";

import { WorkerpoolError } from "./errors.js";

/** Address of a server, and whether to use TLS. */
export interface Target {
  /** Host name or IP address; IPv6 in brackets. */
  readonly host: string;
  /** `host:port`. */
  readonly address: string;
  /** Whether the connection uses TLS. */
  readonly tls: boolean;
  /** The same as a URL with scheme and port. */
  readonly url: string;
}

const LOOPBACK_NAMES = new Set(["localhost", "ip6-localhost", "ip6-loopback"]);
const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8, "ipv4");
LOOPBACK.addAddress("::1", "ipv6");

const ADDRESS = /^(?<host>\[[0-9a-f:.]+\]|[^\s:/?#@[\]]+)(?::(?<port>\d{1,5}))?\/?$/i;
const HTTPS_PORT = 443;
const LAST_PORT = 65_535;

/** Return whether a host name or IP address means this machine only. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, "");
  const family = isIP(bare);
  if (family === 0) return LOOPBACK_NAMES.has(bare.replace(/\.$/, "").toLowerCase());
  return LOOPBACK.check(bare, family === 6 ? "ipv6" : "ipv4");
}

/**
 * Read `host:port`, `dns:///host:port`, `http://host:port` or `https://host[:port]` (port 443 by default).
 *
 * Without a scheme, TLS is used except on this machine, and there too when the caller has files for it. Throws a
 * WorkerpoolError with reason INVALID_TARGET, or TLS_REQUIRED when such files come with `http://`.
 */
export function parseTarget(text: string, hasTlsFiles = false): Target {
  const [, scheme = "", rest = ""] = /^(?:dns:\/\/\/|(https?):\/\/)?(.*)$/i.exec(text.trim()) ?? [];
  const groups = ADDRESS.exec(rest)?.groups;
  const secure = scheme.toLowerCase() === "https";
  const host = groups?.host ?? "";
  const port = groups?.port === undefined ? (secure ? HTTPS_PORT : 0) : Number(groups.port);
  if (host === "" || port === 0 || port > LAST_PORT) {
    throw new WorkerpoolError(
      "INVALID_TARGET",
      `${JSON.stringify(text)} is no address of a server`,
      "give host:port, http://host:port or https://host:port",
      Code.InvalidArgument,
    );
  }
  const tls = secure || (scheme === "" && (hasTlsFiles || !isLoopback(host)));
  const address = `${host}:${port}`;
  if (hasTlsFiles && !tls) {
    throw new WorkerpoolError(
      "TLS_REQUIRED",
      `certificates are given for ${text}, which is spoken to without TLS`,
      `use https://${address}, or give no certificates`,
      Code.InvalidArgument,
    );
  }
  return { host, address, tls, url: `${tls ? "https" : "http"}://${address}` };
}
