import pytest
from workerpool_devnet.errors import OptionsError
from workerpool_devnet.market.deployment import Flavour
from workerpool_devnet.options import DevnetOptions, workers_needed


@pytest.mark.parametrize(
    ("trust", "workers"), [(0, 1), (1, 1), (2, 1), (3, 2), (4, 2), (5, 3), (8, 3), (9, 4)]
)
def test_workers_needed_agrees_with_the_contract(trust: int, workers: int) -> None:
    assert workers_needed(trust) == workers


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"workers": -1}, "number of workers"),
        ({"block_time": 21}, "block time"),
        ({"block_time": 0.05}, "block time"),
        ({"chain_id": 0}, "chain id"),
        ({"chain_port": 70_000}, "port of the chain"),
        ({"node_url": "127.0.0.1:8545"}, "http://127.0.0.1:8545"),
        ({"cpus_per_worker": 0}, "1 CPU or more"),
        ({"ports": 0}, "first HTTP port"),
        ({"ports": 55_530, "workers": 3}, "first HTTP port"),
        ({"workers": 2, "trust": 5}, "trust 5 needs 3 workers"),
    ],
)
def test_impossible_options_are_refused(options: dict[str, object], complaint: str) -> None:
    with pytest.raises(OptionsError, match=complaint):
        DevnetOptions(**options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "chain_id"),
    [
        ({}, 65535),
        ({"flavour": Flavour.NATIVE}, 134),
        ({"flavour": Flavour.NATIVE, "chain_id": 31337}, 31337),
        ({"chain_id": 421614, "block_time": 0.25}, 421614),
    ],
)
def test_the_chain_id_follows_the_flavour_unless_it_is_given(
    options: dict[str, object], chain_id: int
) -> None:
    assert DevnetOptions(**options).effective_chain_id == chain_id  # type: ignore[arg-type]
