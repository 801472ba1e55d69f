"""Addresses of services: the gRPC port next to an HTTP port, and the gRPC target behind a service URL."""

from urllib.parse import urlsplit

GRPC_PORT_OFFSET = 10_000
"""A service's gRPC port is its documented HTTP port plus this."""

_HTTPS_PORT = 443
_LAST_PORT = 65_535


def grpc_port(http_port: int, override: int | None = None) -> int:
    """Return the gRPC port of a service: `override` if set, else `http_port` + 10000; 0 (any free port) stays 0."""
    if override is not None:
        return override
    return http_port + GRPC_PORT_OFFSET if http_port else 0


def service_url(protocol: str, host: str, port: int) -> str:
    """Return the URL of a service whose address is set in parts; an IPv6 address gets its brackets."""
    return f"{protocol}://{host_and_port(host, port)}"


def host_and_port(host: str, port: int | str) -> str:
    """Return `host:port`, with an IPv6 address in brackets."""
    return f"{bracketed(host)}:{port}"


def bracketed(host: str) -> str:
    """Return a host as written in a URL: an IPv6 address in brackets, any other one unchanged."""
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def grpc_target_of(http_url: str) -> str:
    """Return the gRPC target behind a service URL.

    `http://host:13010`, the documented form, gives `host:23010`. `https://host` gives `https://host:443`: a reverse
    proxy serves HTTP and gRPC on one port with TLS. A service that is elsewhere says so (`ServiceChannel`), or its
    clients have a setting for its gRPC target. IPv6 hosts keep their brackets.
    Raises ValueError when the URL names no host, or without TLS no port with a gRPC port above it.
    """
    try:
        scheme, host, port = _split(http_url)
    except ValueError:
        scheme, host, port = "", "", 0
    if scheme == "https" and host:
        return f"https://{host}:{port or _HTTPS_PORT}"
    if not host or not port or port + GRPC_PORT_OFFSET > _LAST_PORT:
        raise ValueError(
            f"expected a URL with a host and a port up to {_LAST_PORT - GRPC_PORT_OFFSET}, "
            f"such as http://host:13010, or https://host, not {http_url!r}"
        )
    return f"{host}:{port + GRPC_PORT_OFFSET}"


def channel_address(target: str) -> tuple[str, bool]:
    """Return (`host:port`, whether to use TLS) for `host:port`, `http://host:port` or `https://host[:port]`.

    Raises ValueError for a target without host or port, or with another scheme.
    """
    try:
        scheme, host, port = _split(target)
    except ValueError:
        scheme, host, port = "", "", 0
    if scheme == "https":
        port = port or _HTTPS_PORT
    if scheme not in ("", "http", "https") or not host or not port:
        raise ValueError(f"expected host:port, http://host:port or https://host:port, not {target!r}")
    return f"{host}:{port}", scheme == "https"


def host_of(target: str) -> str:
    """Return the host of a URL or target, without brackets; empty for a malformed one."""
    try:
        return _split(target)[1].strip("[]")
    except ValueError:
        return ""


def _split(url: str) -> tuple[str, str, int]:
    """Return (scheme, host with IPv6 brackets, port or 0). Raises ValueError for a port out of range."""
    parts = urlsplit(url if "//" in url else f"//{url}")
    host = parts.hostname or ""
    return parts.scheme, f"[{host}]" if ":" in host else host, parts.port or 0
