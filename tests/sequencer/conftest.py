"""A chain for the proxy alone: it takes over mining."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from typing import Any

import aiohttp
import pytest
from workerpool_devnet.chain.anvil import Chain
from workerpool_devnet.market import accounts
from workerpool_devnet.processes.ports import free_port
from workerpool_poco.chain.wallet import Transaction, Wallet

from sequencer.behaviour import Behaviour
from sequencer.proxy import Proxy

ETHER = 10**18
GWEI = 10**9


class Client:
    """Calls the proxy as a node's client does."""

    def __init__(self, proxy: Proxy, chain: Chain, http: aiohttp.ClientSession) -> None:
        self.proxy, self.chain, self.http = proxy, chain, http

    async def ask(self, method: str, *params: object) -> dict[str, Any]:
        """Return the whole answer to one call."""
        call = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
        async with self.http.post(self.proxy.url, json=call) as response:
            answer: dict[str, Any] = await response.json(content_type=None)
            return answer

    async def result(self, method: str, *params: object) -> Any:
        """Return the result of one call."""
        answer = await self.ask(method, *params)
        assert "error" not in answer, answer
        return answer["result"]

    async def refusal(self, method: str, *params: object) -> str:
        """Return the message of the error of one call."""
        return str((await self.ask(method, *params))["error"]["message"])

    def funded(self, role: str) -> Wallet:
        """Return a wallet with gas."""
        wallet = accounts.derive(role)
        self.chain.rpc.call("anvil_setBalance", wallet.address, hex(ETHER))
        return wallet

    def signed(self, wallet: Wallet, nonce: int, price: int = GWEI) -> str:
        """Return a signed transfer of nothing to the wallet itself."""
        transfer = Transaction(nonce, price, 21_000, wallet.address, 0, b"", self.chain.chain_id)
        return "0x" + wallet.sign_transaction(transfer).raw.hex()

    def head(self) -> int:
        """Return the number of the newest block, as anvil says."""
        return int(self.chain.rpc.call("eth_blockNumber"), 16)


Serve = Callable[..., AbstractAsyncContextManager[Client]]


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    with Chain(log=tmp_path_factory.mktemp("sequencer") / "chain.log") as running:
        running.stop_mining()
        yield running


@pytest.fixture
def serve(chain: Chain) -> Serve:
    """Return a function that runs a proxy with a behaviour before the chain."""

    @contextlib.asynccontextmanager
    async def run(behaviour: Behaviour, **switches: object) -> AsyncIterator[Client]:
        proxy = Proxy(chain.url, behaviour.changed(switches), port=free_port())
        async with proxy, aiohttp.ClientSession() as http:
            yield Client(proxy, chain, http)

    return run
