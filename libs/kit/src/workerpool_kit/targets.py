"""Addresses of services: the gRPC port next to an HTTP port, and the gRPC target behind a service URL."""

from urllib.parse import urlsplit

GRPC_PORT_OFFSET = 10_000
"""A service's gRPC port is its documented HTTP port plus this."""

_LAST_PORT = 65_535


def grpc_port(http_port: int, override: int | None = None) -> int:
    """Return the gRPC port of a service: `override` if set, else `http_port` + 10000; 0 (any free port) stays 0."""
    if override is not None:
        return override
    return http_port + GRPC_PORT_OFFSET if http_port else 0


def grpc_target_of(http_url: str) -> str:
    """Return the gRPC target behind a documented service URL: `http://host:13010` gives `host:23010`.

    An https URL stays https, so that `open_channel` uses TLS. IPv6 hosts keep their brackets.
    Raises ValueError when the URL names no host or port, or when no gRPC port fits above its port.
    """
    try:
        scheme, host, port = _split(http_url)
    except ValueError:
        scheme, host, port = "", "", 0
    if not host or not port or port + GRPC_PORT_OFFSET > _LAST_PORT:
        raise ValueError(
            f"expected a URL with a host and a port up to {_LAST_PORT - GRPC_PORT_OFFSET}, "
            f"such as http://host:13010, not {http_url!r}"
        )
    address = f"{host}:{port + GRPC_PORT_OFFSET}"
    return f"https://{address}" if scheme == "https" else address


def channel_address(target: str) -> tuple[str, bool]:
    """Return (`host:port`, whether to use TLS) for `host:port`, `http://host:port` or `https://host:port`.

    Raises ValueError for a target without host or port, or with another scheme.
    """
    try:
        scheme, host, port = _split(target)
    except ValueError:
        scheme, host, port = "", "", 0
    if scheme not in ("", "http", "https") or not host or not port:
        raise ValueError(f"expected host:port, http://host:port or https://host:port, not {target!r}")
    return f"{host}:{port}", scheme == "https"


def _split(url: str) -> tuple[str, str, int]:
    """Return (scheme, host with IPv6 brackets, port or 0). Raises ValueError for a port out of range."""
    parts = urlsplit(url if "//" in url else f"//{url}")
    host = parts.hostname or ""
    return parts.scheme, f"[{host}]" if ":" in host else host, parts.port or 0
