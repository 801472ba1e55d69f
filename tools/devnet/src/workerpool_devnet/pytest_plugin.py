"""Fixtures for tests that need a real database or a real chain.

`mongod` (session) is the database server, `database_name` a new database on it for one test.
`kubo_binary` (session) is the IPFS node that `make ipfs` built, `kubo` (session) a running one.
`poco_chain` (session) is an instantly mining chain with PoCo deployed; `fresh_poco_chain` is the
same chain, reverted after the test.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path

import pytest
from workerpool_poco.chain.wallet import Wallet

from workerpool_devnet.chain.anvil import Chain
from workerpool_devnet.market import accounts, deployment
from workerpool_devnet.market.trading import Market
from workerpool_devnet.packages import repository_root
from workerpool_devnet.processes.kubo import Kubo
from workerpool_devnet.processes.mongod import Database


class PocoChain:
    """A running chain with PoCo on it, and funded accounts by role."""

    def __init__(self, chain: Chain, deployed: deployment.Contracts) -> None:
        self.chain = chain
        self.contracts = deployed
        self.url = chain.url
        self.chain_id = chain.chain_id
        self.hub = deployed.hub
        self._funded: set[str] = set()

    @functools.cached_property
    def market(self) -> Market:
        """The market of this chain: create apps and pools, sign and match orders."""
        return Market(self.chain.rpc, self.contracts)

    def account(self, role: str) -> Wallet:
        """Return the account of a role with gas, RLC and a deposit on the hub (see `accounts.fund`)."""
        account = accounts.derive(role)
        if account.address not in self._funded:
            accounts.fund(self.chain.rpc, self.contracts, [account])
            self._funded.add(account.address)
        return account

    def snapshot(self) -> tuple[str, frozenset[str]]:
        """Save the state of chain and accounts for one `revert`."""
        return self.chain.snapshot(), frozenset(self._funded)

    def revert(self, snapshot: tuple[str, frozenset[str]]) -> None:
        """Revert the chain, including its clock, to a snapshot."""
        name, funded = snapshot
        self.chain.revert(name)
        self._funded = set(funded)


@pytest.fixture(scope="session")
def mongod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """Run a MongoDB replica set of one, or use the server in `MONGO_URI`."""
    # In the folder of pytest, which removes the files of a killed session later.
    folder = tmp_path_factory.mktemp("mongod")
    with Database(log=_log(tmp_path_factory, "mongod"), folder=folder) as database:
        yield database


@pytest.fixture
def database_name(mongod: Database) -> Iterator[str]:
    """Return the name of a new database for this test; it is dropped afterwards."""
    name = mongod.new_name("test")
    yield name
    mongod.drop(name)


@pytest.fixture(scope="session")
def kubo_binary() -> Path:
    """Return the program of the IPFS node."""
    binary = repository_root() / ".cache" / "bin" / "ipfs"
    if not binary.exists():
        pytest.fail("Kubo is not built: run `make ipfs` (it needs Go, and some minutes once)")
    return binary


@pytest.fixture(scope="session")
def kubo(kubo_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kubo]:
    """Run an IPFS node that talks to no other node."""
    folder = tmp_path_factory.mktemp("kubo")
    with Kubo(kubo_binary, folder=folder, log=_log(tmp_path_factory, "kubo")) as node:
        yield node


@pytest.fixture(scope="session")
def poco_chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PocoChain]:
    """Run an instantly mining chain with the real PoCo contracts."""
    with Chain(log=_log(tmp_path_factory, "chain")) as chain:
        yield PocoChain(chain, deployment.deploy(chain.rpc, accounts.deployer(chain.rpc)))


@pytest.fixture
def fresh_poco_chain(poco_chain: PocoChain) -> Iterator[PocoChain]:
    """Return the chain of the session; revert it after the test."""
    snapshot = poco_chain.snapshot()
    yield poco_chain
    poco_chain.revert(snapshot)


def _log(factory: pytest.TempPathFactory, name: str) -> Path:
    return factory.mktemp("devnet") / f"{name}.log"
