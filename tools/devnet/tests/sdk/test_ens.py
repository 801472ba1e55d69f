"""The pool's name in ENS, read back as the SDK does."""

from typing import Any

from workerpool_devnet.market import accounts, artifacts
from workerpool_devnet.pytest_plugin import PocoChain
from workerpool_devnet.sdk import ens

URL = "http://127.0.0.1:13000"


def test_namehash_follows_eip_137() -> None:
    assert ens.namehash("") == bytes(32)
    assert ens.namehash("eth").hex() == "93cdeb708b7545dc668eb9280176169d1c33cfd8ed6f04690a0bcc88a93fc4ae"
    assert ens.namehash("foo.eth").hex() == "de9b09fd7c5f901e23a3f19fecc54828e9c848539801e86591bd9801b019f84f"


def test_the_reverse_record_leads_to_the_url_of_the_pool(fresh_poco_chain: PocoChain) -> None:
    chain = fresh_poco_chain
    owner = chain.account("ens pool owner")
    pool = chain.market.create_workerpool(owner, "a pool with a name")
    rpc = chain.chain.rpc
    resolver_address = ens.name_pool(rpc, accounts.deployer(rpc), pool, URL)
    registry = artifacts.ens("ENSRegistry").at(rpc.web3, ens.REGISTRY)
    resolver = artifacts.ens("OwnedResolver").at(rpc.web3, resolver_address)

    def view(contract: Any, signature: str, *arguments: object) -> Any:
        return contract.get_function_by_signature(signature)(*arguments).call()

    reverse = ens.namehash(f"{pool[2:].lower()}.addr.reverse")
    assert view(registry, "resolver(bytes32)", reverse) == resolver_address
    name = view(resolver, "name(bytes32)", reverse)
    assert view(registry, "resolver(bytes32)", ens.namehash(name)) == resolver_address
    assert view(resolver, "addr(bytes32)", ens.namehash(name)) == pool
    assert view(resolver, "text(bytes32,string)", ens.namehash(name), "iexec:workerpool-api:url") == URL
