"""The compass of the pool: tells iExec tools where the API of a workerpool is."""

from ipaddress import ip_address

from workerpool_core.errors import UnknownWorkerpool


def public_url(configured: str | None, host: str, port: int) -> str:
    """Return the URL of core's HTTP port for other hosts: the configured one, else the address that it listens on.

    It is empty when core listens on every address, since none of them is the public one.
    """
    if configured:
        return configured.rstrip("/")
    address = ip_address(host)
    if address.is_unspecified:
        return ""
    return f"http://[{host}]:{port}" if address.version == 6 else f"http://{host}:{port}"


class Compass:
    """Knows the workerpool of this core, and no other."""

    def __init__(self, workerpool: str, chain_id: int, url: str) -> None:
        """Create a compass. `url` is the public URL of core; empty means the address that a caller reached."""
        self._workerpool = workerpool
        self._chain_id = chain_id
        self._url = url

    def api_url(self, chain_id: str, workerpool: str, reached: str) -> str:
        """Return the URL of a workerpool's API, whose address may have any letter case. Raises UnknownWorkerpool.

        `reached` is the URL at which the caller reached this port.
        """
        if chain_id != str(self._chain_id) or workerpool.lower() != self._workerpool.lower():
            raise UnknownWorkerpool(
                f"this pool is workerpool {self._workerpool} on chain {self._chain_id}; ask the compass of the chain "
                "or of the other pool"
            )
        return self._url or reached
