"""Each version of the SDK finds exactly the keys that it takes."""

from dataclasses import replace
from typing import Any

import pytest
from workerpool_devnet.sdk.chain_files import NAME, SdkView, chain_files

# As the validators of the published packages list them; any other key is refused as unknown.
KEYS_9 = {"id", "host", "hub", "sms", "ipfsGateway", "iexecGateway", "compass", "pocoSubgraph"}
KEYS_8 = KEYS_9 | {
    *("ensRegistry", "ensPublicResolver", "voucherHub", "voucherSubgraph", "resultProxy", "native", "useGas"),
    *("defaultTeeFramework", "bridge"),
}
KEYS_7 = {
    *("id", "host", "hub", "ensRegistry", "ensPublicResolver", "sms", "resultProxy", "ipfsGateway"),
    *("iexecGateway", "native", "useGas", "flavour", "bridge", "enterprise"),
}
VIEW = SdkView(
    chain_id=65535,
    native=False,
    rpc="http://127.0.0.1:1",
    hub="0x5FC8d32690cc91D4c39d9d3abcBD16989F875707",
    core="http://127.0.0.1:2",
    result_proxy="http://127.0.0.1:3",
    sms="http://127.0.0.1:4",
    market="http://127.0.0.1:5",
    ens_registry="0x5f5B93fca68c9C79318d1F3868A354EE67D8c006",
    ens_resolver="0x5FbDB2315678afecb367f032d93F642f64180aa3",
)


def chains(view: SdkView) -> dict[str, dict[str, Any]]:
    found = chain_files(view)
    assert all(file.keys() == {"default", "chains"} and file["default"] == NAME for file in found.values())
    return {name: file["chains"][NAME] for name, file in found.items()}


@pytest.mark.parametrize(
    ("name", "known"), [("chain.json", KEYS_9), ("chain-8.json", KEYS_8), ("chain-7.json", KEYS_7)]
)
@pytest.mark.parametrize("chain_id", [65535, 134])
def test_a_file_has_only_keys_that_its_version_knows(name: str, known: set[str], chain_id: int) -> None:
    chain = chains(replace(VIEW, chain_id=chain_id))[name]
    assert chain.keys() <= known
    assert chain["id"] == str(chain_id)


def test_every_address_that_a_requester_needs_is_filled() -> None:
    found = chains(VIEW)
    for chain in found.values():
        assert chain["host"] == VIEW.rpc
        assert chain["hub"] == VIEW.hub
        assert chain["sms"] == VIEW.sms
        assert chain["iexecGateway"] == VIEW.market
        assert chain["ipfsGateway"] == VIEW.result_proxy
    assert found["chain.json"]["compass"] == found["chain-8.json"]["compass"] == VIEW.core
    assert found["chain-8.json"]["resultProxy"] == found["chain-7.json"]["resultProxy"] == VIEW.result_proxy
    assert found["chain-7.json"]["ensRegistry"] == VIEW.ens_registry


def test_the_older_versions_learn_how_gas_and_deposits_are_paid() -> None:
    for native in (False, True):
        found = chains(replace(VIEW, native=native))
        for name in ("chain-8.json", "chain-7.json"):
            assert (found[name]["native"], found[name]["useGas"]) == (native, not native)


def test_version_8_gets_no_compass_on_bellecour() -> None:
    assert "compass" not in chains(replace(VIEW, chain_id=134))["chain-8.json"]
