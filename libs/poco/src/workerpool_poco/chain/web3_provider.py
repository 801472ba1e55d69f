"""A web3.py client over the library's own connections."""

from typing import Any

from web3 import AsyncBaseProvider, AsyncWeb3
from web3.types import RPCEndpoint, RPCResponse

from workerpool_poco.chain.transport import Transport


class TransportProvider(AsyncBaseProvider):
    """A web3.py provider that sends requests over a `Transport`."""

    def __init__(self, transport: Transport) -> None:
        super().__init__()
        self._transport = transport

    async def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        """Send one request and return the node's answer."""
        answer: RPCResponse = await self._transport.request(method, params)
        return answer

    async def is_connected(self, show_traceback: bool = False) -> bool:
        """Return whether the node answers."""
        answer = await self._transport.request("eth_chainId", ())
        return isinstance(answer, dict) and "result" in answer


def web3_over(transport: Transport) -> AsyncWeb3[Any]:
    """Return a client that sends its requests over these connections."""
    return AsyncWeb3(TransportProvider(transport))
