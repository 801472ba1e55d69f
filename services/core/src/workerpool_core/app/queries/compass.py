"""The compass of the pool, from which iExec tools get the URL of a workerpool's API."""

from ipaddress import ip_address

from workerpool_core.errors import UnknownWorkerpool


def public_url(configured: str | None, host: str, port: int) -> str:
    """Return the URL of core's HTTP port for other hosts: the configured one, else the address that it listens on.

    Empty when core listens on every address, because none of them is the public one.
    """
    if configured:
        return configured.rstrip("/")
    address = ip_address(host)
    if address.is_unspecified:
        return ""
    return f"http://[{host}]:{port}" if address.version == 6 else f"http://{host}:{port}"


class Compass:
    """The compass for the workerpool of this core only."""

    def __init__(self, workerpool: str, chain_id: int, url: str) -> None:
        """Create a compass; `url` is the public URL of core, empty means the address that a caller reached."""
        self._workerpool = workerpool
        self._chain_id = chain_id
        self._url = url

    def api_url(self, chain_id: str, workerpool: str, reached: str) -> str:
        """Return the URL of the API of a workerpool, an address in any letter case. Raises UnknownWorkerpool.

        `reached` is the URL at which the caller reached this port.
        """
        if chain_id != str(self._chain_id) or workerpool.lower() != self._workerpool.lower():
            raise UnknownWorkerpool(
                f"this pool is workerpool {self._workerpool} on chain {self._chain_id}; use the compass of the chain "
                "or of the other pool"
            )
        return self._url or reached
